data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = var.aws_region == null || self.id == var.aws_region
      error_message = "aws_region is ${coalesce(var.aws_region, "absent")}, but the AWS provider of this module is for ${self.id}. Pass a provider for that region with `providers = { aws = aws.ALIAS }`, or leave aws_region out."
    }
  }
}

locals {
  partition       = data.aws_partition.current.partition
  region          = data.aws_region.current.id
  account_id      = data.aws_caller_identity.current.account_id
  has_credentials = nonsensitive(length(var.credentials) > 0)
}

resource "aws_secretsmanager_secret" "ecr_pullthroughcache" {
  count = local.has_credentials ? 1 : 0

  # ECR reads secrets with this prefix only.
  name        = "ecr-pullthroughcache/${var.upstream_registry}"
  description = "The login of ECR at ${var.upstream_registry_url}."
  tags        = var.tags
}

resource "terraform_data" "credentials_version" {
  input = var.credentials_version
}

resource "aws_secretsmanager_secret_version" "ecr_pullthroughcache" {
  count = local.has_credentials ? 1 : 0

  secret_id                = aws_secretsmanager_secret.ecr_pullthroughcache[0].id
  secret_string_wo         = jsonencode(var.credentials)
  secret_string_wo_version = var.credentials_version

  # Secrets Manager makes a secret's first version the current one, whatever its stage. Later, what
  # was filled in by hand stays current although Terraform writes this version again because Secrets
  # Manager has cleared it away, or because it knows the secret from an older module.
  version_stages = var.credentials_version == 1 ? ["FIRST"] : ["AWSCURRENT"]

  lifecycle {
    ignore_changes       = all
    replace_triggered_by = [terraform_data.credentials_version]
  }
}

resource "aws_ecr_pull_through_cache_rule" "ecr_pullthroughcache" {
  ecr_repository_prefix = var.upstream_registry
  upstream_registry_url = var.upstream_registry_url
  credential_arn        = one(aws_secretsmanager_secret.ecr_pullthroughcache[*].arn)

  # ECR looks into the secret when it makes the rule.
  depends_on = [aws_secretsmanager_secret_version.ecr_pullthroughcache]
}

resource "aws_ecr_repository_creation_template" "ecr_pullthroughcache" {
  count = var.image_tag_mutability != null || var.lifecycle_policy != null ? 1 : 0

  prefix               = var.upstream_registry
  description          = "Repositories cached from ${var.upstream_registry_url}."
  applied_for          = ["PULL_THROUGH_CACHE"]
  image_tag_mutability = var.image_tag_mutability
  lifecycle_policy     = var.lifecycle_policy
}

# What it takes to pull: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html.
resource "aws_iam_policy" "ecr_pullthroughcache" {
  name        = coalesce(var.policy_name, "${local.region}-ecr-pullthroughcache-${var.upstream_registry}")
  description = "Pulls images of ${var.upstream_registry_url} through ECR."
  tags        = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:BatchImportUpstreamImage",
          "ecr:CreateRepository",
          "ecr:GetDownloadUrlForLayer",
        ]
        Resource = "arn:${local.partition}:ecr:${local.region}:${local.account_id}:repository/${var.upstream_registry}/*"
      },
    ]
  })

  lifecycle {
    # IAM changes none, and a policy that an older module made is attached somewhere.
    ignore_changes = [description]
  }
}
