data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = var.region == "" || self.id == var.region
      error_message = "region is ${var.region}, but the AWS provider of this module is for ${self.id}. Pass a provider for that region with `providers = { aws = aws.ALIAS }`, or leave region out."
    }
  }
}

locals {
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id
  account_id = data.aws_caller_identity.current.account_id

  # Tokens may be sensitive; which registries there are is not.
  prefixes      = toset(nonsensitive(keys(var.registries)))
  with_a_secret = toset([for prefix in local.prefixes : prefix if nonsensitive(var.registries[prefix].username != null && var.registries[prefix].accessToken != null)])

  secrets = {
    for prefix in local.with_a_secret : prefix => jsonencode({
      username    = var.registries[prefix].username
      accessToken = var.registries[prefix].accessToken
    })
  }

  lifecycle_policies = {
    for prefix in local.prefixes : prefix => {
      rules = [
        for rule in try(var.registries[prefix].lifecycle_policy.rules, local.keep_three) : merge(rule, {
          selection = { for name, value in rule.selection : name => value if value != null }
        })
      ]
    }
  }

  keep_three = [{
    rulePriority = 1
    description  = "Keep last 3 images"
    selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 3 }
    action       = { type = "expire" }
  }]
}

# --- Logins -------------------------------------------------------------------------------------

resource "aws_secretsmanager_secret" "this" {
  for_each = local.with_a_secret

  # ECR reads secrets with this prefix only.
  name_prefix             = "ecr-pullthroughcache/${each.key}"
  description             = "${each.key} credentials"
  recovery_window_in_days = 0
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.with_a_secret

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = local.secrets[each.key]
  secret_string_wo_version = coalesce(var.registries[each.key].accessTokenVersion, parseint(substr(sha256(local.secrets[each.key]), 0, 7), 16))
}

# --- Rules --------------------------------------------------------------------------------------

resource "aws_ecr_pull_through_cache_rule" "this" {
  for_each = local.prefixes

  ecr_repository_prefix = each.key
  upstream_registry_url = var.registries[each.key].registry
  credential_arn        = try(aws_secretsmanager_secret.this[each.key].arn, null)

  # ECR looks into the secret when it makes the rule.
  depends_on = [aws_secretsmanager_secret_version.this]
}

# --- How repositories are made ------------------------------------------------------------------

resource "aws_ecr_repository_creation_template" "this" {
  for_each = local.prefixes

  prefix               = each.key
  description          = "Pull through cache repository template for ${each.key} artifacts"
  applied_for          = ["PULL_THROUGH_CACHE"]
  image_tag_mutability = coalesce(var.registries[each.key].image_tag_mutability, "MUTABLE")
  lifecycle_policy     = jsonencode(local.lifecycle_policies[each.key])
  resource_tags        = length(var.tags) > 0 ? var.tags : null
  custom_role_arn      = one(aws_iam_role.template[*].arn)

  repository_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Read"
      Effect = "Allow"
      Action = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:DescribeImageScanFindings",
        "ecr:DescribeImages",
        "ecr:DescribeRepositories",
        "ecr:GetDownloadUrlForLayer",
        "ecr:ListImages",
        "ecr:ListTagsForResource",
      ]
      Principal = {
        AWS = concat(
          coalesce(var.registries[each.key].repository_read_access_arns, []),
          ["arn:${local.partition}:iam::${local.account_id}:root"],
        )
      }
    }]
  })

  depends_on = [aws_iam_role_policy.template]
}

# Without it ECR makes no repository with tags:
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates-iam.html.
resource "aws_iam_role" "template" {
  count = length(var.tags) > 0 ? 1 : 0

  name_prefix = "ecr-pullthroughcache-"
  description = "Makes the repositories of ECR's pull-through cache."
  tags        = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecr.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "template" {
  count = length(var.tags) > 0 ? 1 : 0

  name = "create-repositories"
  role = aws_iam_role.template[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"]
      Resource = [for prefix in local.prefixes : "arn:${local.partition}:ecr:${local.region}:${local.account_id}:repository/${prefix}/*"]
    }]
  })
}
