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
  mock_data "aws_vpc" {
    defaults = { id = "vpc-default" }
  }
  mock_data "aws_subnets" {
    defaults = { ids = ["subnet-default"] }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "bucket" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:cluster/mock" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/mock:1" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:mock" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:mock" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/mock" }
  }
}

variables {
  namespace      = "example-ecr-sync"
  task_image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/longshore"
  config = {
    repos = [{ source = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/my-app/backend" }]
  }
}

run "required_inputs_alone" {
  assert {
    condition = jsondecode(trimprefix(aws_s3_object.config.content, "LONGSHORE_CONFIG=")) == {
      version      = 1
      destination  = { region = "us-east-1", account_id = "123456789012" }
      repositories = { create = true, tag_immutability = true, on_conflict = "fail", scan_on_push = true }
      images       = [{ source = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/my-app/backend", tags = ["**"], repository = "my-app/backend" }]
    }
    error_message = "longshore's file is not what the inputs say."
  }

  assert {
    condition     = length(regexall("\n", aws_s3_object.config.content)) == 1 && endswith(aws_s3_object.config.key, ".env")
    error_message = "ECS cannot read the environment file."
  }

  assert {
    condition = jsonencode([for statement in local.task_policy.Statement : statement.Resource]) == jsonencode([
      ["*"],
      ["arn:aws:ecr:eu-west-1:111122223333:repository/my-app/backend"],
      ["arn:aws:ecr:us-east-1:123456789012:repository/my-app/backend"],
      ["arn:aws:ecr:us-east-1:123456789012:repository/my-app/backend"],
    ])
    error_message = "The task may do something else than it must."
  }

  assert {
    condition = jsondecode(aws_ecs_task_definition.this.container_definitions) == [{
      name             = "longshore"
      image            = "123456789012.dkr.ecr.us-east-1.amazonaws.com/longshore:latest"
      command          = ["apply"]
      essential        = true
      environmentFiles = [{ type = "s3", value = "arn:aws:s3:::bucket/longshore.env" }]
      logConfiguration = {
        logDriver = "awslogs"
        options   = { awslogs-group = "/ecs/example-ecr-sync", awslogs-region = "us-east-1", awslogs-stream-prefix = "longshore" }
      }
    }]
    error_message = "The task is another one."
  }

  assert {
    condition     = [aws_ecs_task_definition.this.cpu, aws_ecs_task_definition.this.memory, aws_ecs_task_definition.this.runtime_platform[0].cpu_architecture] == ["512", "1024", "X86_64"]
    error_message = "The task has another size."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule.schedule_expression == "cron(0 * * * ? *)"
    error_message = "The schedule is another one."
  }

  assert {
    condition     = aws_security_group.task.vpc_id == "vpc-default" && aws_cloudwatch_event_target.task[0].ecs_target[0].network_configuration[0].subnets == toset(["subnet-default"]) && aws_cloudwatch_event_target.task[0].ecs_target[0].network_configuration[0].assign_public_ip
    error_message = "The task does not run in the default VPC."
  }

  assert {
    condition     = aws_cloudwatch_log_group.task.retention_in_days == 30 && length(aws_cloudwatch_metric_alarm.failure.alarm_actions) == 0
    error_message = "The log or the alarm is another one."
  }

  assert {
    condition     = output.destination_urls == ["123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app/backend"]
    error_message = "The output is not where the images are."
  }

  assert {
    condition     = output.log_group_name == "/ecs/example-ecr-sync" && output.config_object == { bucket = "bucket", key = "longshore.env" }
    error_message = "An output is wrong."
  }
}

run "every_input" {
  command = plan

  variables {
    namespace      = "Example_Sync"
    task_image_uri = "registry.example/longshore"
    task_image_tag = "0.1.0"
    config = {
      mode = "refresh"
      repos = [
        { source = "111122223333.dkr.ecr.us-east-1.amazonaws.com/my-app", tags = ["v1.*", "latest"] },
        { source = "ghcr.io/org/another-app", destination = "renamed-app", tags = ["{latest,stable}"] },
      ]
      repo_defaults = {
        scan_on_push     = false
        tag_immutability = false
        encryption_type  = "KMS"
        kms_key_arn      = "arn:aws:kms:us-east-1:123456789012:key/0f4d"
        on_conflict      = "keep"
      }
    }
    schedule              = "rate(15 minutes)"
    region                = "us-east-1"
    task_vpc_id           = "vpc-1"
    task_subnet_ids       = ["subnet-1", "subnet-2"]
    task_assign_public_ip = false
    task_cpu              = 1024
    task_memory           = 4096
    task_cpu_architecture = "ARM64"
    log_retention_in_days = 7
    alarm_actions         = ["arn:aws:sns:us-east-1:123456789012:on-call"]
  }

  assert {
    condition = local.config == {
      version     = 1
      destination = { region = "us-east-1", account_id = "123456789012" }
      repositories = {
        create           = false
        tag_immutability = false
        on_conflict      = "keep"
        scan_on_push     = false
        encryption       = { kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/0f4d" }
      }
      images = [
        { source = "111122223333.dkr.ecr.us-east-1.amazonaws.com/my-app", tags = tolist(["v1.*", "latest"]), repository = "my-app" },
        { source = "ghcr.io/org/another-app", tags = tolist(["{latest,stable}"]), repository = "renamed-app" },
      ]
    }
    error_message = "longshore's file is not what the inputs say."
  }

  assert {
    condition = jsonencode([for statement in local.task_policy.Statement : statement.Resource]) == jsonencode([
      ["*"],
      ["arn:aws:ecr:us-east-1:111122223333:repository/my-app"],
      ["arn:aws:ecr:us-east-1:123456789012:repository/my-app", "arn:aws:ecr:us-east-1:123456789012:repository/renamed-app"],
    ])
    error_message = "The task may create repositories, or read what it need not."
  }

  assert {
    condition     = [aws_ecs_cluster.this.name, aws_ecs_task_definition.this.family, aws_iam_role.task.name, aws_iam_role.execution.name, aws_iam_role.events.name, aws_s3_bucket.config.bucket_prefix] == ["Example_Sync", "Example_Sync", "Example_Sync-task", "Example_Sync-execution", "Example_Sync-events", "example-sync-"]
    error_message = "A name does not begin with the namespace."
  }

  assert {
    condition     = [aws_ecs_task_definition.this.cpu, aws_ecs_task_definition.this.memory, aws_ecs_task_definition.this.runtime_platform[0].cpu_architecture] == ["1024", "4096", "ARM64"]
    error_message = "The task has another size."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule.schedule_expression == "rate(15 minutes)"
    error_message = "The schedule is another one."
  }

  assert {
    condition     = aws_security_group.task.vpc_id == "vpc-1" && local.subnet_ids == tolist(["subnet-1", "subnet-2"]) && length(data.aws_vpc.default) == 0 && !aws_cloudwatch_event_target.task[0].ecs_target[0].network_configuration[0].assign_public_ip
    error_message = "The task runs in another network."
  }

  assert {
    condition     = aws_cloudwatch_log_group.task.retention_in_days == 7 && aws_cloudwatch_metric_alarm.failure.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:on-call"])
    error_message = "The log or the alarm is another one."
  }
}

run "the_image_s_tag" {
  variables {
    task_image_tag = "0.1.0"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "123456789012.dkr.ecr.us-east-1.amazonaws.com/longshore:0.1.0"
    error_message = "The task has another image."
  }
}

run "a_key_of_aws" {
  command = plan

  variables {
    config = {
      repos         = [{ source = "registry.example/app" }]
      repo_defaults = { encryption_type = "KMS" }
    }
  }

  assert {
    condition     = local.config.repositories.encryption.kms_key_arn == "arn:aws:kms:us-east-1:123456789012:alias/aws/ecr"
    error_message = "The repositories are encrypted with another key."
  }

  assert {
    condition     = [for statement in local.task_policy.Statement : statement.Action[0]] == ["ecr:GetAccountSetting", "ecr:BatchCheckLayerAvailability", "ecr:CreateRepository", "kms:CreateGrant"]
    error_message = "The task cannot encrypt what it creates."
  }
}

run "nothing_to_copy" {
  command = plan

  variables {
    config = {}
  }

  assert {
    condition     = length(aws_cloudwatch_event_target.task) == 0
    error_message = "A task starts that has nothing to do."
  }
}

run "a_repository_without_tags" {
  command = plan

  variables {
    config = {
      repos = [{ source = "registry.example/app", tags = [] }]
    }
  }

  expect_failures = [var.config]
}

run "unsound_config" {
  command = plan

  variables {
    config = {
      mode          = "sync"
      repos         = [{ source = "my-app" }]
      repo_defaults = { encryption_type = "AES" }
    }
  }

  expect_failures = [var.config]
}

run "another_region" {
  command = plan

  variables {
    region = "eu-west-1"
  }

  expect_failures = [data.aws_region.current]
}

run "a_network_without_its_subnets" {
  command = plan

  variables {
    task_vpc_id = "vpc-1"
  }

  expect_failures = [aws_security_group.task]
}

run "a_file_too_long_for_its_line" {
  command = plan

  variables {
    config = {
      repos = [for number in range(1000) : { source = "registry.example/a/repository/with/a/long/name/${number}" }]
    }
  }

  expect_failures = [aws_s3_object.config]
}
