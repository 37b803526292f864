//! The rules of the pull-through cache, and what their upstreams say to them.

use futures_util::{StreamExt as _, stream};

use super::Check;
use super::findings::{Findings, in_time};
use crate::cache::{Answer, Error, validate};
use crate::config::{CacheCredential, CacheRule, Specification};
use crate::ecr::{Ecr, PullThroughRule};
use crate::failure::Kind;

const NAME: &str = "cache rule";

/// How many upstreams ECR is asked about at once.
const TOGETHER: usize = 8;

pub(super) async fn examine(specification: &Specification, ecr: &Ecr) -> Findings {
    let mut findings = Findings::default();
    let wanted = specification.cache.iter().flat_map(|cache| &cache.rules);
    let wanted: Vec<&CacheRule> = wanted.collect();
    if wanted.is_empty() {
        return findings;
    }
    let found = match in_time(NAME, ecr.pull_through_rules()).await {
        Ok(Ok(found)) => found,
        // Whoever only reads through the rules need not be able to list them.
        Ok(Err(error)) => return Check::unanswered(NAME, &error).into(),
        Err(late) => return late.into(),
    };
    let mut asked = stream::iter(wanted)
        .map(|wanted| {
            let found = found.iter().find(|found| found.prefix == wanted.prefix);
            let is_read = specification.is_through_cache(&wanted.upstream.registry());
            async move {
                let check = match found {
                    Some(found) => ask(wanted, found, ecr).await,
                    None => missing(is_read),
                };
                check.of(&wanted.prefix)
            }
        })
        .buffered(TOGETHER);
    while let Some(check) = asked.next().await {
        findings.add(check);
    }
    findings
}

fn missing(is_read: bool) -> Check {
    if is_read {
        let message = "missing, and images are to be read through it";
        return Check::failed(NAME, Kind::Permanent, message)
            .hint("make it with `longshore cache apply`");
    }
    Check::ok(NAME, "missing; `cache apply` creates it")
}

async fn ask(wanted: &CacheRule, found: &PullThroughRule, ecr: &Ecr) -> Check {
    let upstream = &found.upstream;
    if *upstream != wanted.upstream.host {
        let message = format!("reads `{upstream}`; the file says `{}`", wanted.upstream);
        return Check::warning(NAME, message)
            .hint("`cache apply --allow-replace` makes it anew; what is cached stays");
    }
    let by_hand = matches!(wanted.credential, CacheCredential::Manual);
    match in_time(NAME, validate(found, by_hand, ecr)).await {
        Ok(Ok(Answer::NoLogin)) => Check::ok(NAME, format!("reads `{upstream}` without a login")),
        Ok(Ok(Answer::Accepted | Answer::SecretToFill)) => {
            Check::ok(NAME, format!("`{upstream}` accepts its login"))
        }
        Ok(Err(error @ Error::Refused { .. })) => Check::error(NAME, &error),
        Ok(Err(error)) => Check::unanswered(NAME, &error),
        Err(late) => late,
    }
}
