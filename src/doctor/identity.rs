//! Who we are at AWS, and all that follows from it.

use super::findings::{AWS, Findings, answer, in_time};
use super::{Check, Verdict, cache_rules, permissions, reads, registry, repositories};
use crate::aws::{self, Identity, Session};
use crate::cache::Place;
use crate::config::{EcrDestination, Specification};
use crate::ecr::Ecr;
use crate::failure::{Failure as _, Kind};

const NAME: &str = "aws identity";
const ACCOUNT: &str = "aws account";

pub(super) async fn examine(
    specification: Option<&Specification>,
    options: &aws::Options,
) -> Findings {
    let session = match answer(NAME, Session::load(options.clone())).await {
        Ok(session) => session,
        Err(check) => return without(check),
    };
    let mut findings = Findings::default();
    let identity = match in_time(NAME, session.introduce()).await {
        Err(late) => {
            findings.add(late);
            None
        }
        Ok(introduction) => {
            findings.see(AWS, introduction.date);
            match introduction.identity {
                // With such credentials nothing else would answer otherwise.
                Err(error) if error.kind() == Kind::Refused => {
                    let mut all = without(Check::error(NAME, &error));
                    all.sightings = findings.sightings;
                    return all;
                }
                Err(error) => {
                    findings.add(Check::error(NAME, &error));
                    None
                }
                Ok(identity) => {
                    findings.add(tell(&identity, &session));
                    Some(identity)
                }
            }
        }
    };
    let destination = specification.map(|specification| specification.destination.ecr());
    let destination = destination.unwrap_or_default();
    findings.checks.extend(
        identity
            .as_ref()
            .and_then(|identity| account(identity, &destination)),
    );
    let ecr = Ecr::new(&session, destination.account_id.clone());
    let certificates = options.root_certificates.as_ref();
    let place = identity
        .as_ref()
        .map(|identity| place(identity, &session, &destination));
    let (registry, file) = tokio::join!(
        registry::examine(&ecr, &session, &destination, certificates),
        async {
            match specification {
                Some(specification) => {
                    let whose = identity.as_ref().zip(place.as_ref());
                    needs(specification, whose, &session, &ecr).await
                }
                None => Findings::default(),
            }
        }
    );
    findings.extend(registry);
    findings.extend(file);
    findings
}

/// What the file needs of AWS: permissions, and repositories.
async fn needs(
    specification: &Specification,
    whose: Option<(&Identity, &Place)>,
    session: &Session,
    ecr: &Ecr,
) -> Findings {
    let permissions = permissions::examine(specification, whose, session);
    let repositories = repositories::examine(specification, ecr);
    let rules = cache_rules::examine(specification, ecr);
    let (mut findings, (repositories, found), rules) =
        tokio::join!(permissions, repositories, rules);
    let mut permissions = findings.checks.iter();
    let is_known = permissions.all(|check| check.verdict != Verdict::NotChecked);
    findings.extend(repositories);
    if let Some(repository) = found.filter(|_| !is_known) {
        findings.extend(reads::examine(ecr, &repository).await);
    }
    findings.extend(rules);
    findings
}

/// The failure to be somebody, and that nothing else could be asked.
fn without(failure: Check) -> Findings {
    let mut findings = Findings::from(failure);
    findings.add(Check::not_checked(
        registry::TOKEN,
        "ECR is asked once the AWS credentials work",
    ));
    findings
}

fn tell(identity: &Identity, session: &Session) -> Check {
    let (arn, region) = (&identity.arn, session.region());
    Check::ok(NAME, format!("`{arn}` in {region}"))
}

/// Whether the file means another account, which that account has to allow.
fn account(identity: &Identity, destination: &EcrDestination) -> Option<Check> {
    let wanted = destination.account_id.as_ref()?;
    let own = &identity.account_id;
    if wanted == own {
        return Some(Check::ok(ACCOUNT, format!("{own}, as the file says")));
    }
    let message = format!("the file's is {wanted}, that of the credentials {own}");
    let hint = format!(
        "name a role of {wanted} in `destination.role_arn`, or let `{}` in with the policies of \
         the repositories there",
        identity.arn
    );
    Some(Check::warning(ACCOUNT, message).hint(hint))
}

fn place(identity: &Identity, session: &Session, destination: &EcrDestination) -> Place {
    let account_id = destination.account_id.as_ref();
    Place {
        region: session.region().to_owned(),
        account_id: account_id.unwrap_or(&identity.account_id).clone(),
    }
}
