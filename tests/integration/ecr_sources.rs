//! Sources in ECR, which open with tokens of AWS's own.

use std::fs;

use longshore::sandbox::Server;

use crate::harness::{Image, Lab, Registry, Request, World};

const API: &str = "210987654321.dkr.ecr.us-east-1.amazonaws.com";
const WEB: &str = "321098765432.dkr.ecr.eu-central-1.amazonaws.com";

/// Two accounts' registries in two regions. Each opens with its own account's token only.
struct Accounts {
    world: World,
    api: Registry,
    web: Registry,
}

impl Accounts {
    fn new(name: &str) -> Self {
        let world = World::new(name);
        let registry = |host: &str| {
            let mut parts = host.split('.');
            let (account, region) = (parts.next().unwrap(), parts.nth(2).unwrap());
            Registry::private("AWS", &world.aws.password_in(account, region))
        };
        let (api, web) = (registry(API), registry(WEB));
        api.push("team/api", "1", &Image::new(name, "api"));
        web.push("team/web", "1", &Image::new(name, "web"));
        fs::create_dir(world.folder().join(".aws")).unwrap();
        let profiles = "[profile lender]\naws_access_key_id = AKIALENDER\n\
                        aws_secret_access_key = s\n[profile source]\nsource_profile = lender\n\
                        role_arn = arn:aws:iam::210987654321:role/pull\n";
        fs::write(world.folder().join(".aws/config"), profiles).unwrap();
        Self { world, api, web }
    }

    /// Writes `longshore.yaml`; the two say who opens the registries.
    fn write(&self, api: &str, web: &str) {
        self.world.write_whole(&format!(
            "version: 1\n\
             destination: {{namespace: {}, registry: 'http://{}'}}\n\
             upstreams:\n  \
               {API}: {{{api}, endpoint: 'http://{}'}}\n  \
               {WEB}: {{{web}, endpoint: 'http://{}'}}\n\
             images:\n  \
               - {{source: {API}/team/api:1, lines: [RUN true]}}\n  \
               - {{source: {WEB}/team/web:1, lines: [RUN true]}}\n",
            self.world.name,
            self.world.destination.host(),
            self.api.host(),
            self.web.host(),
        ));
    }

    /// `docker login` for every host by which the registries are known, with a password that is
    /// no longer good.
    fn log_in_with_docker(&self) {
        let hosts = [API, WEB, self.api.host(), self.web.host()];
        // `AWS:old` in base64.
        let entry = |host: &str| format!("\"{host}\": {{\"auth\": \"QVdTOm9sZA==\"}}");
        let auths = hosts.map(entry).join(", ");
        fs::create_dir(self.world.folder().join(".docker")).unwrap();
        let path = self.world.folder().join(".docker/config.json");
        fs::write(path, format!("{{\"auths\": {{{auths}}}}}")).unwrap();
    }
}

#[test]
fn two_accounts_in_two_regions_open_with_their_own_tokens() {
    let accounts = Accounts::new("ecr-accounts");
    accounts.log_in_with_docker();
    accounts.write(
        "profile: source",
        "role_arn: 'arn:aws:iam::321098765432:role/pull'",
    );
    let apply = || {
        let apply = ["apply", "--output", "json"];
        accounts.world.longshore(&apply).run().exits(0)
    };
    assert_eq!(apply().each("status"), ["done"; 2]);
    for (registry, host, name) in [(&accounts.api, API, "api"), (&accounts.web, WEB, "web")] {
        let repository = format!("ecr-accounts/team/{name}");
        let config = accounts.world.destination.config(&repository, "1");
        let labels = &config["config"]["Labels"];
        assert_eq!(labels["version"], name);
        assert_eq!(
            labels["org.opencontainers.image.base.name"],
            format!("{host}/team/{name}:1")
        );
        // longshore and Docker show no login before a registry asks for one, which `/v2/` does.
        let requests = registry.requests();
        let refused: Vec<_> = requests
            .iter()
            .filter(|request| request.status == 401 && request.path != "/v2/")
            .collect();
        assert!(refused.is_empty(), "{refused:?}");
        assert!(requests.iter().any(Request::transfers));
    }
    assert_eq!(apply().each("status"), ["in place"; 2]);
}

#[test]
fn another_accounts_token_opens_nothing() {
    let accounts = Accounts::new("ecr-swapped");
    accounts.write(
        "role_arn: 'arn:aws:iam::321098765432:role/pull'",
        "profile: source",
    );
    let run = accounts.world.longshore(&["plan"]).run().exits(3);
    run.says(&[
        &format!(
            "the login for `{API}` comes from the AWS role \
             `arn:aws:iam::321098765432:role/pull`"
        ),
        &format!("the login for `{WEB}` comes from the AWS profile `source`"),
    ]);
}

#[test]
fn one_token_serves_all_registries_of_one_caller_and_region() {
    let lab = Lab::new();
    // The sandbox's own region, where the destination is.
    let own = "eu-west-1";
    let role = "role_arn: 'arn:aws:iam::123456789012:role/pull'";
    let endpoint = format!("endpoint: 'http://{}'", lab.registry());
    let hosts = [
        (1, own),
        (2, own),
        (3, "us-gov-west-1"),
        (4, "us-gov-west-1"),
    ]
    .map(|(account, region)| format!("{account:012}.dkr.ecr.{region}.amazonaws.com"));
    let upstreams = hosts
        .each_ref()
        .map(|host| format!("  {host}: {{{role}, {endpoint}}}\n"));
    let images = hosts.each_ref().map(|host| {
        format!(
            "  - {{source: {host}/app:1, repository: '{}', lines: [ENV A=1]}}\n",
            &host[..12]
        )
    });
    let unused = format!("{:012}.dkr.ecr.cn-north-1.amazonaws.com.cn", 5);
    let file = format!(
        "version: 1\n\
         destination: {{{role}}}\n\
         upstreams:\n{}  {unused}: {{profile: absent}}\n\
         images:\n{}",
        upstreams.concat(),
        images.concat()
    );
    let run = lab
        .longshore(&["plan"])
        .env("LONGSHORE_CONFIG", file)
        .run()
        .exits(1);
    // The registry let everybody in, and has none of the images.
    let missing = run.stderr.matches("does not exist").count();
    assert_eq!(missing, 4, "{}", run.stderr);
    let mut calls: Vec<_> = lab
        .log()
        .into_iter()
        .filter(|request| request.at == Server::Api)
        .filter_map(|request| request.operation)
        .filter(|operation| operation != "DescribeRepositories")
        .collect();
    calls.sort();
    let twice = |operation: &'static str| [operation; 2];
    assert_eq!(
        calls,
        [twice("AssumeRole"), twice("GetAuthorizationToken")].concat()
    );
}
