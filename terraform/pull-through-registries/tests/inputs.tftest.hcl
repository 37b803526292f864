# Every input, and what becomes of it. The AWS API is never called.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { id = "secret", arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/dockerhub-AbCdEf" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
}

variables {
  registries = {
    quay = { registry = "quay.io" }
  }
}

run "required_inputs_alone" {
  assert {
    condition     = aws_ecr_pull_through_cache_rule.this["quay"].ecr_repository_prefix == "quay" && aws_ecr_pull_through_cache_rule.this["quay"].upstream_registry_url == "quay.io" && aws_ecr_pull_through_cache_rule.this["quay"].credential_arn == null
    error_message = "The rule is another one."
  }

  assert {
    condition     = length(aws_secretsmanager_secret.this) == 0
    error_message = "There is a secret for a registry without a login."
  }

  assert {
    condition     = aws_ecr_repository_creation_template.this["quay"].prefix == "quay" && aws_ecr_repository_creation_template.this["quay"].applied_for == toset(["PULL_THROUGH_CACHE"]) && aws_ecr_repository_creation_template.this["quay"].image_tag_mutability == "MUTABLE"
    error_message = "The template is another one."
  }

  assert {
    condition = jsondecode(aws_ecr_repository_creation_template.this["quay"].lifecycle_policy) == {
      rules = [{
        rulePriority = 1
        description  = "Keep last 3 images"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 3 }
        action       = { type = "expire" }
      }]
    }
    error_message = "Cached repositories do not keep their last three images."
  }

  assert {
    condition     = jsondecode(aws_ecr_repository_creation_template.this["quay"].repository_policy).Statement[0].Principal.AWS == ["arn:aws:iam::123456789012:root"]
    error_message = "Others than this account may read."
  }

  assert {
    condition     = length(aws_iam_role.template) == 0 && aws_ecr_repository_creation_template.this["quay"].custom_role_arn == null && aws_ecr_repository_creation_template.this["quay"].resource_tags == null
    error_message = "There is a role that nobody needs."
  }

  assert {
    condition     = output.pull_through_cache_urls == { quay = "123456789012.dkr.ecr.us-east-1.amazonaws.com/quay/your_image:tag" }
    error_message = "A documented output is wrong."
  }
}

run "every_input" {
  variables {
    region = "us-east-1"
    tags   = { ManagedBy = "Terraform" }
    registries = {
      dockerhub = {
        registry                    = "registry-1.docker.io"
        username                    = "acme"
        accessToken                 = "dckr_pat_1"
        repository_read_access_arns = ["arn:aws:iam::210987654321:root"]
        image_tag_mutability        = "IMMUTABLE"
        lifecycle_policy = {
          rules = [
            {
              rulePriority = 2
              description  = "Untagged for a week"
              selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
              action       = { type = "expire" }
            },
            {
              rulePriority = 3
              description  = "Old releases"
              selection    = { tagStatus = "tagged", tagPatternList = ["v*"], countType = "imageCountMoreThan", countNumber = 9 }
              action       = { type = "expire" }
            },
          ]
        }
      }
      github = {
        registry           = "ghcr.io"
        username           = "bot"
        accessToken        = "ghp_1"
        accessTokenVersion = 4
      }
    }
  }

  assert {
    condition     = { for prefix, rule in aws_ecr_pull_through_cache_rule.this : prefix => [rule.upstream_registry_url, rule.credential_arn] } == { dockerhub = ["registry-1.docker.io", aws_secretsmanager_secret.this["dockerhub"].arn], github = ["ghcr.io", aws_secretsmanager_secret.this["github"].arn] }
    error_message = "The rules are others."
  }

  assert {
    condition     = [for secret in aws_secretsmanager_secret.this : [secret.name_prefix, secret.recovery_window_in_days]] == [["ecr-pullthroughcache/dockerhub", 0], ["ecr-pullthroughcache/github", 0]]
    error_message = "The secrets are others."
  }

  assert {
    condition     = nonsensitive(jsonencode([for version in aws_secretsmanager_secret_version.this : [version.secret_string, version.secret_string_wo_version]])) == jsonencode([[null, parseint(substr(sha256("{\"accessToken\":\"dckr_pat_1\",\"username\":\"acme\"}"), 0, 7), 16)], [null, 4]])
    error_message = "A new token is not noticed, or is in the state."
  }

  assert {
    condition = jsondecode(aws_ecr_repository_creation_template.this["dockerhub"].lifecycle_policy) == {
      rules = [
        {
          rulePriority = 2
          description  = "Untagged for a week"
          selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
          action       = { type = "expire" }
        },
        {
          rulePriority = 3
          description  = "Old releases"
          selection    = { tagStatus = "tagged", tagPatternList = ["v*"], countType = "imageCountMoreThan", countNumber = 9 }
          action       = { type = "expire" }
        },
      ]
    }
    error_message = "The lifecycle policy is another one."
  }

  assert {
    condition     = jsondecode(aws_ecr_repository_creation_template.this["dockerhub"].repository_policy).Statement[0].Principal.AWS == ["arn:aws:iam::210987654321:root", "arn:aws:iam::123456789012:root"]
    error_message = "Others may read."
  }

  assert {
    condition     = [for template in aws_ecr_repository_creation_template.this : template.image_tag_mutability] == ["IMMUTABLE", "MUTABLE"]
    error_message = "The mutability is another one."
  }

  assert {
    condition     = alltrue([for template in aws_ecr_repository_creation_template.this : template.resource_tags == tomap({ ManagedBy = "Terraform" }) && template.custom_role_arn == "arn:aws:iam::123456789012:role/mock"])
    error_message = "Cached repositories do not get the tags."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.template[0].policy).Statement[0].Resource == ["arn:aws:ecr:us-east-1:123456789012:repository/dockerhub/*", "arn:aws:ecr:us-east-1:123456789012:repository/github/*"]
    error_message = "The role may make other repositories."
  }

  assert {
    condition     = aws_iam_role.template[0].tags == tomap({ ManagedBy = "Terraform" }) && alltrue([for secret in aws_secretsmanager_secret.this : secret.tags == tomap({ ManagedBy = "Terraform" })])
    error_message = "A resource lacks the tags."
  }

  assert {
    condition     = keys(output.pull_through_cache_urls) == ["dockerhub", "github"] && keys(output.secret_arns) == ["dockerhub", "github"]
    error_message = "An output is wrong."
  }
}

run "another_region" {
  command = plan

  variables {
    region = "eu-west-1"
  }

  expect_failures = [data.aws_region.current]
}
