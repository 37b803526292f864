# Every input, and what becomes of it. The AWS API is never called.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { id = "secret", arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mock" }
  }
}

run "no_input_at_all" {
  assert {
    condition     = aws_secretsmanager_secret.ecr_pullthroughcache[0].name == "ecr-pullthroughcache/docker-hub"
    error_message = "The secret has another name."
  }

  assert {
    condition     = aws_secretsmanager_secret_version.ecr_pullthroughcache[0].secret_string == null
    error_message = "The credentials are in the state."
  }

  assert {
    condition     = aws_secretsmanager_secret_version.ecr_pullthroughcache[0].version_stages == toset(["FIRST"])
    error_message = "The placeholder may hide what was filled in by hand."
  }

  assert {
    condition     = [aws_ecr_pull_through_cache_rule.ecr_pullthroughcache.ecr_repository_prefix, aws_ecr_pull_through_cache_rule.ecr_pullthroughcache.upstream_registry_url, aws_ecr_pull_through_cache_rule.ecr_pullthroughcache.credential_arn] == ["docker-hub", "registry-1.docker.io", aws_secretsmanager_secret.ecr_pullthroughcache[0].arn]
    error_message = "The rule is another one."
  }

  assert {
    condition     = length(aws_ecr_repository_creation_template.ecr_pullthroughcache) == 0
    error_message = "There is a template that nobody asked for."
  }

  assert {
    condition     = jsondecode(aws_iam_policy.ecr_pullthroughcache.policy).Statement[1].Resource == "arn:aws:ecr:eu-west-1:123456789012:repository/docker-hub/*"
    error_message = "The policy is for other repositories."
  }

  assert {
    condition     = output.ecr_pullthroughcache_policy_arn == "arn:aws:iam::123456789012:policy/mock" && output.ecr_pullthroughcache_policy_name == "eu-west-1-ecr-pullthroughcache-docker-hub"
    error_message = "A documented output is wrong."
  }

  assert {
    condition     = output.pull_through_cache_url == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/" && output.secret_arn == aws_secretsmanager_secret.ecr_pullthroughcache[0].arn
    error_message = "An output is wrong."
  }
}

run "every_input" {
  command = plan

  variables {
    aws_region            = "eu-west-1"
    upstream_registry     = "github"
    upstream_registry_url = "ghcr.io"
    credentials           = { username = "bot", accessToken = "ghp_1" }
    credentials_version   = 2
    policy_name           = "ecr-pullthroughcache"
    image_tag_mutability  = "IMMUTABLE"
    lifecycle_policy      = "{\"rules\":[]}"
    tags                  = { team = "platform" }
  }

  assert {
    condition     = aws_secretsmanager_secret.ecr_pullthroughcache[0].name == "ecr-pullthroughcache/github" && aws_secretsmanager_secret.ecr_pullthroughcache[0].tags == tomap({ team = "platform" })
    error_message = "The secret is another one."
  }

  assert {
    condition     = terraform_data.credentials_version.input == 2
    error_message = "The credentials are not written again."
  }

  assert {
    condition     = aws_ecr_pull_through_cache_rule.ecr_pullthroughcache.ecr_repository_prefix == "github" && aws_ecr_pull_through_cache_rule.ecr_pullthroughcache.upstream_registry_url == "ghcr.io"
    error_message = "The rule is another one."
  }

  assert {
    condition     = jsonencode([for template in aws_ecr_repository_creation_template.ecr_pullthroughcache : [template.prefix, template.image_tag_mutability, template.lifecycle_policy, template.resource_tags, template.custom_role_arn]]) == jsonencode([["github", "IMMUTABLE", "{\"rules\":[]}", null, null]])
    error_message = "The template is another one."
  }

  assert {
    condition     = aws_iam_policy.ecr_pullthroughcache.name == "ecr-pullthroughcache" && aws_iam_policy.ecr_pullthroughcache.tags == tomap({ team = "platform" })
    error_message = "The policy is another one."
  }
}

run "without_a_login" {
  variables {
    upstream_registry     = "quay"
    upstream_registry_url = "quay.io"
    credentials           = {}
  }

  assert {
    condition     = length(aws_secretsmanager_secret.ecr_pullthroughcache) == 0 && aws_ecr_pull_through_cache_rule.ecr_pullthroughcache.credential_arn == null && output.secret_arn == null
    error_message = "There is a secret for a registry without a login."
  }
}

run "half_a_login" {
  command = plan

  variables {
    credentials = { username = "bot", token = "ghp_1" }
  }

  expect_failures = [var.credentials]
}

# The default of the module that this one replaces is no region.
run "another_region" {
  command = plan

  variables {
    aws_region = "eu-east-1"
  }

  expect_failures = [data.aws_region.current]
}
