//! A JSON object whose members keep their order and their bytes.

use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// A JSON object. What is not changed is written as it was read, byte for byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    members: Vec<(String, Box<RawValue>)>,
}

impl Object {
    /// A member; `null` counts as none.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<T>, serde_json::Error> {
        let member = self.members.iter().find(|(name, _)| name == key);
        member.map_or(Ok(None), |(_, value)| serde_json::from_str(value.get()))
    }

    /// Puts a member into its old place, or at the end.
    pub(super) fn set(&mut self, key: &str, value: &impl Serialize) {
        let value = to_raw_value(value).expect("lists and maps of texts become JSON");
        match self.members.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.members.push((key.to_owned(), value)),
        }
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.members.retain(|(name, _)| name != key);
    }

    /// A name that occurs twice, if only in different letters: Go reads both as one.
    pub(super) fn repeated(&self) -> Option<&str> {
        let names = self.members.iter().map(|(name, _)| name.as_str());
        names.enumerate().find_map(|(at, name)| {
            let mut earlier = self.members[..at].iter();
            let is_repeated = earlier.any(|(other, _)| other.eq_ignore_ascii_case(name));
            is_repeated.then_some(name)
        })
    }

    /// One of these names, written with other letters than here: Go reads it all the same.
    pub(super) fn misspelt<'a>(&'a self, known: &[&str]) -> Option<&'a str> {
        let mut names = self.members.iter().map(|(name, _)| name.as_str());
        names.find(|name| {
            known
                .iter()
                .any(|known| known != name && known.eq_ignore_ascii_case(name))
        })
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object { members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_stays_byte_for_byte() {
        let text = r#"{"z": 1.50,"a":{ "c":1,"b" : 2},"Env":["A"],"n":1e400,"m":null}"#;
        let mut object: Object = serde_json::from_str(text).unwrap();
        assert_eq!(object.read::<Vec<String>>("Env").unwrap().unwrap(), ["A"]);
        assert_eq!(object.read::<String>("m").unwrap(), None);
        object.set("Env", &["B"]);
        object.set("User", &"x");
        object.remove("m");
        assert_eq!(
            serde_json::to_string(&object).unwrap(),
            r#"{"z":1.50,"a":{ "c":1,"b" : 2},"Env":["B"],"n":1e400,"User":"x"}"#
        );
    }

    #[test]
    fn names_that_go_reads_as_one_are_found() {
        let object: Object = serde_json::from_str(r#"{"env":1,"Cmd":2,"ENV":3}"#).unwrap();
        assert_eq!(object.repeated(), Some("ENV"));
        assert_eq!(object.misspelt(&["Env", "Cmd"]), Some("env"));
    }
}
