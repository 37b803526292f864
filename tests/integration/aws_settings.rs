//! Which credentials, region and certificates a run uses, by the environment that it starts in.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use crate::harness::{Longshore, Registry};

/// An AWS that refuses everybody, and keeps who asked: `AKIAENV/eu-west-1`.
struct Aws {
    url: String,
    callers: Arc<Mutex<Vec<String>>>,
}

impl Aws {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let callers: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&callers);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).unwrap();
                    let (name, value) = line.trim().split_once(": ").unwrap_or_default();
                    match name.to_lowercase().as_str() {
                        "content-length" => length = value.parse().unwrap(),
                        "authorization" => kept.lock().unwrap().push(caller(value)),
                        _ if line.trim().is_empty() => break,
                        _ => {}
                    }
                }
                stream.read_exact(&mut vec![0; length]).unwrap();
                let body = r#"{"__type": "AccessDeniedException", "message": "nobody"}"#;
                let length = body.len();
                let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n";
                let answer = format!("{head}content-length: {length}\r\n\r\n{body}");
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, callers }
    }

    fn callers(&self) -> Vec<String> {
        self.callers.lock().unwrap().clone()
    }
}

/// Key and region of `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/ecr/aws4_request, ...`.
fn caller(authorization: &str) -> String {
    let (_, scope) = authorization.split_once("Credential=").unwrap();
    let parts: Vec<&str> = scope.split('/').collect();
    format!("{}/{}", parts[0], parts[2])
}

/// A home with AWS profiles, and a call of `longshore plan` in it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.0.path().join(".aws")).unwrap();
        let profiles = "[default]\nregion = eu-north-1\naws_access_key_id = AKIADEFAULT\n\
                        aws_secret_access_key = s\n[profile bare]\nregion = eu-south-1\n\
                        [profile second]\naws_access_key_id = AKIASECOND\n\
                        aws_secret_access_key = s\n";
        fs::write(home.0.path().join(".aws/config"), profiles).unwrap();
        home
    }

    fn plan(&self, destination: &str, endpoint: &str) -> Longshore {
        let file = format!("{{version: 1, destination: {{{destination}}}, images: [mongo]}}");
        Longshore::new(self.0.path(), &["plan"])
            .env("LONGSHORE_CONFIG", file)
            .env("AWS_ENDPOINT_URL", endpoint)
    }
}

fn with_keys(longshore: Longshore) -> Longshore {
    longshore
        .env("AWS_ACCESS_KEY_ID", "AKIAENV")
        .env("AWS_SECRET_ACCESS_KEY", "s")
}

#[test]
fn what_is_set_to_nothing_is_as_good_as_absent() {
    let (aws, home) = (Aws::start(), Home::new());
    let empty = || {
        let plan = home.plan("", "").env("AWS_ENDPOINT_URL_ECR", &aws.url);
        let names = [
            "AWS_ACCESS_KEY_ID",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_DEFAULT_REGION",
            "AWS_ENDPOINT_URL_STS",
            "AWS_MAX_ATTEMPTS",
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_RETRY_MODE",
            "AWS_ROLE_ARN",
            "AWS_SESSION_TOKEN",
            "AWS_USE_DUALSTACK_ENDPOINT",
            "AWS_USE_FIPS_ENDPOINT",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ];
        let set = |longshore: Longshore, name: &&str| longshore.env(name, "");
        names.iter().fold(plan, set)
    };
    empty().run().exits(3);
    with_keys(empty()).run().exits(3);
    assert_eq!(
        aws.callers(),
        ["AKIADEFAULT/eu-north-1", "AKIAENV/eu-north-1"]
    );
}

#[test]
fn a_named_profile_is_used_alone() {
    let (aws, home) = (Aws::start(), Home::new());
    let second = home.plan("profile: second, region: eu-west-1", &aws.url);
    with_keys(second).run().exits(3);
    assert_eq!(aws.callers(), ["AKIASECOND/eu-west-1"]);
    let bare = home.plan("profile: bare", &aws.url);
    let run = with_keys(bare).run().exits(3);
    run.says(&["the AWS profile `bare` has no credentials"]);
    assert_eq!(aws.callers().len(), 1);
}

#[test]
fn a_source_in_ecr_is_asked_for_in_its_own_region_by_whom_the_file_names() {
    let (aws, home) = (Aws::start(), Home::new());
    let registry = Registry::private("AWS", "nobody gets it");
    let render = |who: &str| {
        let host = "210987654321.dkr.ecr.us-east-1.amazonaws.com";
        let endpoint = format!("endpoint: 'http://{}'", registry.host());
        let file = format!(
            "{{version: 1, upstreams: {{{host}: {{{who}, {endpoint}}}}}, \
             images: [{{source: {host}/team/api, lines: [USER app]}}]}}"
        );
        let render = Longshore::new(home.0.path(), &["render"])
            .env("LONGSHORE_CONFIG", file)
            .env("AWS_ENDPOINT_URL", &aws.url);
        with_keys(render).run()
    };
    render("profile: second").exits(3);
    render("role_arn: 'arn:aws:iam::210987654321:role/pull'").exits(3);
    assert_eq!(aws.callers(), ["AKIASECOND/us-east-1", "AKIAENV/us-east-1"]);
    let run = render("profile: third").exits(2);
    run.says(&[
        "cannot get credentials for `210987654321.dkr.ecr.us-east-1.amazonaws.com`",
        "there is no AWS profile `third`",
    ]);
}

#[test]
fn root_certificates_are_needed_for_https_only() {
    let (aws, home) = (Aws::start(), Home::new());
    let plan = |endpoint: &str| home.plan("", endpoint).env("SSL_CERT_FILE", "/typo.pem");
    plan(&aws.url).run().exits(3);
    assert_eq!(aws.callers(), ["AKIADEFAULT/eu-north-1"]);
    let run = plan("https://127.0.0.1:1").run().exits(2);
    run.says(&[
        "no root certificates are trusted",
        "/typo.pem",
        "ca-certificates",
    ]);
}

#[test]
fn an_empty_bundle_is_a_mistake_everywhere() {
    let home = Home::new();
    let bundle = home.0.path().join("bundle.pem");
    fs::write(&bundle, "").unwrap();
    for command in ["plan", "render"] {
        let run = Longshore::new(home.0.path(), &[command])
            .env("LONGSHORE_CONFIG", "{version: 1, images: [mongo]}")
            .env("AWS_CA_BUNDLE", &bundle)
            .run()
            .exits(2);
        run.says(&["bundle.pem", "there is no certificate in it"]);
    }
}
