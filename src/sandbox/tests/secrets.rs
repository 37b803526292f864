//! Secrets Manager and SSM.

use serde_json::{Value, json};

use super::client::Client;
use crate::sandbox::Options;

#[tokio::test]
async fn a_secret_lives() {
    let client = Client::start(Options::default()).await;
    let create = json!({
        "Name": "ecr-pullthroughcache/hub",
        "Description": "for the cache",
        "Tags": [{"Key": "team", "Value": "platform"}],
    });
    let created = client.call("secretsmanager.CreateSecret", create).await;
    let arn = created["ARN"].as_str().unwrap();
    let start = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/hub-";
    assert_eq!(arn.strip_prefix(start).map(str::len), Some(6));
    assert_eq!(created["VersionId"], Value::Null);
    let id = |id: &str| json!({"SecretId": id});
    let none = client
        .refusal("secretsmanager.GetSecretValue", id(arn))
        .await;
    let put = json!({"SecretId": arn, "SecretString": "one", "ClientRequestToken": "v1"});
    client.call("secretsmanager.PutSecretValue", put).await;
    let short = arn.rsplit_once('-').unwrap().0;
    for name in [arn, short, "ecr-pullthroughcache/hub"] {
        let value = client.call("secretsmanager.GetSecretValue", id(name)).await;
        assert_eq!(
            (&value["SecretString"], &value["VersionId"]),
            (&json!("one"), &json!("v1"))
        );
    }
    let update = json!({"SecretId": arn, "SecretString": "two", "ClientRequestToken": "v2"});
    client.call("secretsmanager.UpdateSecret", update).await;
    let tag = json!({"SecretId": arn, "Tags": [{"Key": "owner", "Value": "x"}]});
    client.call("secretsmanager.TagResource", tag).await;
    let untag = json!({"SecretId": arn, "TagKeys": ["team"]});
    client.call("secretsmanager.UntagResource", untag).await;
    let mut described = client.call("secretsmanager.DescribeSecret", id(arn)).await;
    for time in ["CreatedDate", "LastChangedDate"] {
        assert!(described[time].take().is_f64());
    }
    assert_eq!(
        described,
        json!({
            "ARN": arn,
            "Name": "ecr-pullthroughcache/hub",
            "Description": "for the cache",
            "KmsKeyId": null,
            "CreatedDate": null,
            "LastChangedDate": null,
            "DeletedDate": null,
            "Tags": [{"Key": "owner", "Value": "x"}],
            "VersionIdsToStages": {"v2": ["AWSCURRENT"]},
        })
    );
    let delete = json!({"SecretId": arn, "RecoveryWindowInDays": 7});
    client.call("secretsmanager.DeleteSecret", delete).await;
    let again = json!({"Name": "ecr-pullthroughcache/hub"});
    let delete = json!({"SecretId": arn, "RecoveryWindowInDays": 3});
    let lines = [
        none,
        client
            .refusal("secretsmanager.GetSecretValue", id(arn))
            .await,
        client
            .refusal("secretsmanager.CreateSecret", again.clone())
            .await,
        client.refusal("secretsmanager.DeleteSecret", delete).await,
        client
            .refusal("secretsmanager.DescribeSecret", id("none"))
            .await,
        client
            .refusal("secretsmanager.CreateSecret", json!({"Name": "a b"}))
            .await,
    ];
    insta::assert_snapshot!(lines.join("\n"));
    client.call("secretsmanager.RestoreSecret", id(arn)).await;
    let value = client.call("secretsmanager.GetSecretValue", id(arn)).await;
    assert_eq!(value["SecretString"], "two");
    let delete = json!({"SecretId": arn, "ForceDeleteWithoutRecovery": true});
    client.call("secretsmanager.DeleteSecret", delete).await;
    client.call("secretsmanager.CreateSecret", again).await;
}

#[tokio::test]
async fn a_parameter_lives() {
    let client = Client::start(Options::default()).await;
    let put = |value: &str, overwrite| json!({"Name": "/hub/token", "Value": value, "Type": "SecureString", "Overwrite": overwrite});
    client
        .call("AmazonSSM.PutParameter", put("one", false))
        .await;
    let again = client
        .refusal("AmazonSSM.PutParameter", put("two", false))
        .await;
    assert!(again.contains("ParameterAlreadyExists"), "{again}");
    client
        .call("AmazonSSM.PutParameter", put("two", true))
        .await;
    let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/hub/token";
    for (name, decrypt, value) in [
        ("/hub/token", true, "two"),
        (arn, true, "two"),
        (arn, false, "ENCRYPTED"),
    ] {
        let get = json!({"Name": name, "WithDecryption": decrypt});
        let got = client.call("AmazonSSM.GetParameter", get).await;
        assert_eq!(
            (&got["Parameter"]["Value"], &got["Parameter"]["ARN"]),
            (&json!(value), &json!(arn))
        );
        assert_eq!(got["Parameter"]["Version"], 2);
    }
    let missing = client
        .refusal("AmazonSSM.GetParameter", json!({"Name": "none"}))
        .await;
    assert_eq!(missing, "AmazonSSM.GetParameter: ParameterNotFound: ");
}
