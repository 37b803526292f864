//! What policies say, whatever they look like.

use serde_json::Value;

/// The version of a policy of IAM's that names none:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>.
const OLD_VERSION: &str = "2008-10-17";

/// Whether two policies say the same. AWS writes a list of one as its element, lists of names in an
/// order of its own, and the rules of a lifecycle policy by their priority
/// (terraform-provider-aws#22639).
pub fn is_same_policy(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str(text).map(whole).map(plain).ok();
    match (read(one), read(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// A policy with its rules in their order, and its version.
fn whole(mut policy: Value) -> Value {
    if let Some(Value::Array(rules)) = policy.get_mut("rules") {
        rules.sort_by_key(|rule| rule.get("rulePriority").and_then(Value::as_i64));
    }
    if let Value::Object(fields) = &mut policy
        && fields.contains_key("Statement")
    {
        let version = fields.entry("Version");
        version.or_insert_with(|| OLD_VERSION.into());
    }
    policy
}

fn plain(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(plain).collect();
            if items.iter().all(Value::is_string) {
                items.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
            }
            match items.pop() {
                Some(only) if items.is_empty() => only,
                last => Value::Array(items.into_iter().chain(last).collect()),
            }
        }
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, plain(value)));
            Value::Object(fields.collect())
        }
        Value::String(text) => Value::String(match root_of(&text) {
            Some(account) => account.to_owned(),
            None => text,
        }),
        value => value,
    }
}

/// The account whose root this is: IAM takes either, and may give the other back.
fn root_of(text: &str) -> Option<&str> {
    let account = text.strip_suffix(":root")?.rsplit_once(":iam::")?.1;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_compared_by_what_they_say() {
        let one = r#"{"Statement": [{"Principal": {"AWS": ["b", "a"]}, "Action": ["x"]}]}"#;
        let same = r#"{"Version": "2008-10-17",
            "Statement":[{"Action":"x","Principal":{"AWS":["a","b"]}}]}"#;
        let other = r#"{"Statement":[{"Action":"y","Principal":{"AWS":["a","b"]}}]}"#;
        assert!(is_same_policy(one, same));
        let root = r#"{"Principal": {"AWS": ["arn:aws-cn:iam::012345678901:root"]}}"#;
        assert!(is_same_policy(
            root,
            r#"{"Principal": {"AWS": "012345678901"}}"#
        ));
        assert!(!is_same_policy(one, other));
        assert!(!is_same_policy(
            one,
            &same.replace("2008-10-17", "2012-10-17")
        ));
    }

    #[test]
    fn rules_are_compared_in_the_order_of_their_priority() {
        let rules = |rules: [(u8, u8); 2]| {
            let rule = |(priority, number): (u8, u8)| {
                format!(r#"{{"rulePriority": {priority}, "countNumber": {number}}}"#)
            };
            format!(r#"{{"rules": [{}]}}"#, rules.map(rule).join(", "))
        };
        let found = rules([(1, 5), (2, 9)]);
        assert!(is_same_policy(&rules([(2, 9), (1, 5)]), &found));
        assert!(!is_same_policy(&rules([(1, 9), (2, 5)]), &found));
    }
}
