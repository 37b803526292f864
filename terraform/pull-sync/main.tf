data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = var.region == null || self.id == var.region
      error_message = "region is ${coalesce(var.region, "absent")}, but the AWS provider of this module is for ${self.id}. Pass a provider for that region with `providers = { aws = aws.ALIAS }`."
    }
  }
}

locals {
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id
  account_id = data.aws_caller_identity.current.account_id
  ecr_arn    = "arn:${local.partition}:ecr"

  repos    = [for repo in var.config.repos : merge(repo, { destination = coalesce(repo.destination, regex("^[^/]+/(.+)$", repo.source)[0]) })]
  defaults = var.config.repo_defaults

  # Without a key of its own a repository has AWS's key for ECR.
  kms_key_arn = coalesce(local.defaults.kms_key_arn, "arn:${local.partition}:kms:${local.region}:${local.account_id}:alias/aws/ecr")

  # longshore's file.
  config = {
    version     = 1
    destination = { region = local.region, account_id = local.account_id }
    repositories = {
      for name, value in {
        create           = var.config.mode == "create"
        tag_immutability = local.defaults.tag_immutability
        on_conflict      = local.defaults.on_conflict
        scan_on_push     = local.defaults.scan_on_push
        encryption       = local.defaults.encryption_type == "KMS" ? { kms_key_arn = local.kms_key_arn } : null
      } : name => value if value != null
    }
    images = [for repo in local.repos : { source = repo.source, tags = repo.tags, repository = repo.destination }]
  }

  # The sources that are in ECR, where the task's role has to be allowed to read.
  ecr_sources = [
    for repo in var.config.repos : regex("^(?P<account>[0-9]{12})\\.dkr[.-]ecr(?:-fips)?\\.(?P<region>[a-z0-9-]+)\\.[^/]+/(?P<name>[^:@]+)", repo.source)
    if can(regex("^[0-9]{12}\\.dkr[.-]ecr", repo.source))
  ]
}

# --- The file -----------------------------------------------------------------------------------

resource "aws_s3_bucket" "config" {
  # At most 37 characters, and only these.
  bucket_prefix = "${substr(replace(lower(var.namespace), "/[^a-z0-9-]/", "-"), 0, 36)}-"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "config" {
  bucket = aws_s3_bucket.config.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# ECS reads it when a task starts.
resource "aws_s3_object" "config" {
  bucket       = aws_s3_bucket.config.id
  key          = "longshore.env"
  content_type = "text/plain"
  content      = "LONGSHORE_CONFIG=${jsonencode(local.config)}\n"

  lifecycle {
    precondition {
      condition     = length(jsonencode(local.config)) < 60000
      error_message = "config is longer than a line of an environment file may be (64 KiB): use patterns of tags, or this module twice."
    }
  }
}

# --- The task -----------------------------------------------------------------------------------

resource "aws_cloudwatch_log_group" "task" {
  name              = "/ecs/${var.namespace}"
  retention_in_days = var.log_retention_in_days
}

resource "aws_ecs_cluster" "this" {
  name = var.namespace
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.namespace
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.task_cpu
  memory                   = var.task_memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.task_cpu_architecture
  }

  container_definitions = jsonencode([{
    name             = "longshore"
    image            = "${var.task_image_uri}:${var.task_image_tag}"
    command          = ["apply"]
    essential        = true
    environmentFiles = [{ type = "s3", value = "arn:${local.partition}:s3:::${aws_s3_bucket.config.id}/${aws_s3_object.config.key}" }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.task.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "longshore"
      }
    }
  }])
}
