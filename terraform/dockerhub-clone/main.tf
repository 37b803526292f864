data "aws_partition" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = var.region == null || self.id == var.region
      error_message = "region is ${coalesce(var.region, "absent")}, but the AWS provider of this module is for ${self.id}. Pass a provider for that region with `providers = { aws = aws.ALIAS }`."
    }
  }
}

data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = var.account_id == null || self.account_id == var.account_id
      error_message = "account_id is ${coalesce(var.account_id, "absent")}, but the AWS provider of this module is for ${self.account_id}. Pass a provider for that account with `providers = { aws = aws.ALIAS }`."
    }
  }
}

locals {
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id
  account_id = data.aws_caller_identity.current.account_id
  registry   = "${local.account_id}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}"

  images = merge([
    for name, tags in var.containers : { for tag in toset(tags) : "${name}:${tag}" => { name = name, tag = tag } }
  ]...)

  # longshore's file.
  config = {
    version = 1
    destination = {
      region     = local.region
      account_id = local.account_id
      namespace  = var.namespace
    }
    upstreams = {
      "docker.io" = {
        username = var.docker_hub_username
        password = { env = "DOCKERHUB_TOKEN" }
      }
    }
    images = [
      for key, image in local.images : {
        for name, value in {
          source     = image.name
          tags       = [image.tag]
          repository = image.name
          platforms  = var.platforms
          lines      = try(var.build_commands[key], [])
        } : name => value if try(length(value) > 0, false)
      }
    ]
  }
}

# --- Where the images go ------------------------------------------------------------------------

resource "aws_ecr_repository" "ecr" {
  for_each = var.containers

  name                 = "${var.namespace}/${each.key}"
  image_tag_mutability = "MUTABLE"
  force_delete         = true
}

moved {
  from = aws_ecr_lifecycle_policy.foopolicy
  to   = aws_ecr_lifecycle_policy.untagged
}

resource "aws_ecr_lifecycle_policy" "untagged" {
  for_each = aws_ecr_repository.ecr

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Remove untagged images"
      selection    = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 1 }
      action       = { type = "expire" }
    }]
  })
}

data "aws_ecr_image" "ecr" {
  for_each = var.read_digests ? local.images : {}

  repository_name = aws_ecr_repository.ecr[each.value.name].name
  image_tag       = each.value.tag
}

# --- The token ----------------------------------------------------------------------------------

locals {
  token_version = coalesce(
    var.docker_hub_access_token_version,
    parseint(substr(sha256(var.docker_hub_access_token), 0, 7), 16),
  )
}

resource "aws_ssm_parameter" "accesstoken" {
  name             = "${var.prefix}docker"
  type             = "SecureString"
  value_wo         = var.docker_hub_access_token
  value_wo_version = local.token_version
}
