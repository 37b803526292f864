//! The AWS API: tokens, repositories and STS.

use serde_json::{Value, json};

use super::client::Client;
use crate::sandbox::Options;

#[tokio::test]
async fn a_token_names_the_registry() {
    let client = Client::start(Options::default()).await;
    let answer = client.call("GetAuthorizationToken", json!({})).await;
    let data = &answer["authorizationData"][0];
    let registry = format!("http://{}", client.sandbox.registry());
    assert_eq!(data["proxyEndpoint"], registry);
    let left = data["expiresAt"].as_f64().unwrap() - crate::sandbox::fresh::now();
    assert!((43_190.0..=43_200.0).contains(&left), "{left}");
}

#[tokio::test]
async fn repositories_keep_their_settings() {
    let client = Client::start(Options::default()).await;
    let create = json!({
        "repositoryName": "team/api",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
        "imageScanningConfiguration": {"scanOnPush": true},
        "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "arn:aws:kms:x"},
        "tags": [{"Key": "team", "Value": "platform"}],
    });
    let created = client.call("CreateRepository", create.clone()).await;
    let mut repository = created["repository"].clone();
    assert!(repository["createdAt"].take().is_f64());
    let registry = client.sandbox.registry();
    let arn = "arn:aws:ecr:eu-west-1:123456789012:repository/team/api";
    assert_eq!(
        repository,
        json!({
            "repositoryName": "team/api",
            "registryId": "123456789012",
            "repositoryArn": arn,
            "repositoryUri": format!("{registry}/team/api"),
            "createdAt": null,
            "imageTagMutability": create["imageTagMutability"],
            "imageTagMutabilityExclusionFilters": create["imageTagMutabilityExclusionFilters"],
            "imageScanningConfiguration": create["imageScanningConfiguration"],
            "encryptionConfiguration": create["encryptionConfiguration"],
        })
    );
    let more = json!({"resourceArn": arn, "tags": [{"Key": "owner", "Value": "x"}]});
    client.call("TagResource", more).await;
    let less = json!({"resourceArn": arn, "tagKeys": ["team", "unknown"]});
    let listed = || client.call("ListTagsForResource", json!({"resourceArn": arn}));
    let expected = json!({"tags": [
        {"Key": "owner", "Value": "x"},
        {"Key": "team", "Value": "platform"},
    ]});
    assert_eq!(listed().await, expected);
    client.call("UntagResource", less).await;
    let expected = json!({"tags": [{"Key": "owner", "Value": "x"}]});
    assert_eq!(listed().await, expected);
    let scan =
        json!({"repositoryName": "team/api", "imageScanningConfiguration": {"scanOnPush": false}});
    let scan = client.call("PutImageScanningConfiguration", scan).await;
    assert_eq!(
        scan["imageScanningConfiguration"],
        json!({"scanOnPush": false})
    );

    let page = client
        .call("DescribeRepositories", json!({"maxResults": 1}))
        .await;
    assert_eq!(page["repositories"][0]["repositoryName"], "app");
    let rest = json!({"nextToken": page["nextToken"]});
    let page = client.call("DescribeRepositories", rest).await;
    assert_eq!(page["repositories"][0]["repositoryName"], "team/api");
    assert_eq!(page["nextToken"], Value::Null);
}

#[tokio::test]
async fn exceptions_are_those_of_ecr() {
    let client = Client::start(Options::default()).await;
    let named = |name: &str| json!({"repositoryName": name});
    let lifecycle = json!({"repositoryName": "app", "lifecyclePolicyText": "{}"});
    let policy = json!({"repositoryName": "app", "policyText": "no JSON"});
    let foreign = json!({"repositoryName": "app", "registryId": "210987654321"});
    let filters = json!([{"filterType": "WILDCARD", "filter": "*"}]);
    let filters = json!({"repositoryName": "x1", "imageTagMutabilityExclusionFilters": filters});
    let mut lines = Vec::new();
    for (operation, input) in [
        ("DescribeRepositories", json!({"repositoryNames": ["no"]})),
        ("DescribeRepositories", json!({"maxResults": 1001})),
        ("CreateRepository", named("app")),
        ("CreateRepository", named("App")),
        ("CreateRepository", filters),
        ("CreateRepository", json!({"repositoryName": 7})),
        ("PutLifecyclePolicy", lifecycle),
        ("GetLifecyclePolicy", named("app")),
        ("SetRepositoryPolicy", policy),
        ("GetRepositoryPolicy", named("app")),
        ("DeleteLifecyclePolicy", named("app")),
        ("DeleteRepositoryPolicy", named("app")),
        ("ListImages", named("no")),
        ("ListImages", foreign),
        ("StartImageScan", json!({})),
    ] {
        lines.push(client.refusal(operation, input).await);
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    DescribeRepositories: RepositoryNotFoundException: The repository with name 'no' does not exist in the registry with id '123456789012'
    DescribeRepositories: InvalidParameterException: Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'
    CreateRepository: RepositoryAlreadyExistsException: The repository with name 'app' already exists in the registry with id '123456789012'
    CreateRepository: InvalidParameterException: Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*''
    CreateRepository: InvalidParameterException: Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'one to five wildcard filters are needed with an exclusion, and none without'
    CreateRepository: SerializationException: invalid type: integer `7`, expected a string
    PutLifecyclePolicy: InvalidParameterException: Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: rules are missing'
    GetLifecyclePolicy: LifecyclePolicyNotFoundException: Lifecycle policy does not exist for the repository with name 'app' in the registry with id '123456789012'
    SetRepositoryPolicy: InvalidParameterException: Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'
    GetRepositoryPolicy: RepositoryPolicyNotFoundException: Repository policy does not exist for the repository with name 'app' in the registry with id '123456789012'
    DeleteLifecyclePolicy: LifecyclePolicyNotFoundException: Lifecycle policy does not exist for the repository with name 'app' in the registry with id '123456789012'
    DeleteRepositoryPolicy: RepositoryPolicyNotFoundException: Repository policy does not exist for the repository with name 'app' in the registry with id '123456789012'
    ListImages: RepositoryNotFoundException: The repository with name 'no' does not exist in the registry with id '123456789012'
    ListImages: AccessDeniedException: User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: ecr:ListImages on resource: arn:aws:ecr:eu-west-1:210987654321:repository/app because no resource-based policy allows the ecr:ListImages action
    StartImageScan: UnknownOperationException: The sandbox does not know the operation `StartImageScan`
    ");
}

#[tokio::test]
async fn policies_are_given_back() {
    let client = Client::start(Options::default()).await;
    let named = || json!({"repositoryName": "app"});
    let text = r#"{"rules":[{"rulePriority":1}]}"#;
    let put = |text| json!({"repositoryName": "app", "lifecyclePolicyText": text});
    client.call("PutLifecyclePolicy", put(text)).await;
    let policy = client.call("GetLifecyclePolicy", named()).await;
    assert_eq!(policy["lifecyclePolicyText"], text);
    let text = r#"{"Statement":[]}"#;
    let put = json!({"repositoryName": "app", "policyText": text});
    client.call("SetRepositoryPolicy", put).await;
    let policy = client.call("GetRepositoryPolicy", named()).await;
    assert_eq!(policy["policyText"], text);
    client.call("DeleteRepository", named()).await;
    let (_, error) = client.try_call("GetRepositoryPolicy", named()).await;
    assert_eq!(error["__type"], "RepositoryNotFoundException");
}

/// A request as a signing client makes it; returns the status and the body.
async fn signed(client: &Client, key: &str, target: &str, form: &str) -> (u16, String) {
    let credential = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/x/ecr/aws4_request");
    let mut request = client
        .http
        .post(client.sandbox.api_url())
        .body(form.to_owned());
    request = request.header("authorization", credential);
    if !target.is_empty() {
        request = request.header("x-amz-target", target);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    rest.split('<').next().unwrap()
}

#[tokio::test]
async fn only_known_keys_come_in_where_one_is_set() {
    let open = Client::start(Options::default()).await;
    let identity = "Action=GetCallerIdentity&Version=2011-06-15";
    let (status, xml) = signed(&open, "ANY", "", identity).await;
    assert_eq!(status, 200);
    assert_eq!(
        element(&xml, "Arn"),
        "arn:aws:iam::123456789012:user/sandbox"
    );

    let sandbox = crate::sandbox::Sandbox::start(Options {
        access_key_id: Some("AKIAGOOD".to_owned()),
        ..Options::default()
    });
    let client = Client::of(sandbox.await.unwrap());
    let token = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    let (status, body) = signed(&client, "AKIABAD", token, "{}").await;
    assert_eq!(status, 400);
    assert!(body.contains("UnrecognizedClientException"), "{body}");
    let (status, xml) = signed(&client, "AKIABAD", "", identity).await;
    assert_eq!(
        (status, element(&xml, "Code")),
        (403, "InvalidClientTokenId")
    );
    assert_eq!(signed(&client, "AKIAGOOD", token, "{}").await.0, 200);

    let assume = "Action=AssumeRole&RoleSessionName=s&RoleArn=arn:aws:iam::999999999999:role/p/r";
    let (_, xml) = signed(&client, "AKIAGOOD", "", assume).await;
    let key = element(&xml, "AccessKeyId");
    assert_eq!(signed(&client, key, token, "{}").await.0, 200);
    let (_, xml) = signed(&client, key, "", identity).await;
    assert_eq!(element(&xml, "Account"), "999999999999");
    assert_eq!(
        element(&xml, "Arn"),
        "arn:aws:sts::999999999999:assumed-role/r/s"
    );
    insta::assert_snapshot!(client.log(), @r"
    api GetAuthorizationToken 400
    api GetCallerIdentity 403
    api GetAuthorizationToken 200
    api AssumeRole 200
    api GetAuthorizationToken 200
    api GetCallerIdentity 200
    ");
}
