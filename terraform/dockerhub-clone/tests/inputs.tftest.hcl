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
  mock_data "aws_ecr_image" {
    defaults = { image_digest = "sha256:0123" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
  mock_resource "aws_codebuild_project" {
    defaults = { arn = "arn:aws:codebuild:eu-west-1:123456789012:project/mock" }
  }
}

variables {
  containers = {
    "mongo"           = ["latest"]
    "redis"           = ["latest"]
    "hashicorp/vault" = ["1.14", "1.13.3"]
  }
  build_commands = {
    "hashicorp/vault:1.14" = [
      "RUN mkdir /etc/vault",
      "RUN chmod 777 /etc/vault",
      "VOLUME [\"/etc/vault\"]",
    ]
  }
  docker_hub_username     = "acme"
  docker_hub_access_token = "dckr_pat_1"
}

run "documented_inputs_alone" {
  assert {
    condition = jsondecode(local.environment.LONGSHORE_CONFIG) == {
      version     = 1
      destination = { region = "eu-west-1", account_id = "123456789012", namespace = "ecsclone" }
      upstreams   = { "docker.io" = { username = "acme", password = { env = "DOCKERHUB_TOKEN" } } }
      images = [
        { source = "hashicorp/vault", tags = ["1.13.3"], repository = "hashicorp/vault" },
        {
          source     = "hashicorp/vault"
          tags       = ["1.14"]
          repository = "hashicorp/vault"
          lines      = ["RUN mkdir /etc/vault", "RUN chmod 777 /etc/vault", "VOLUME [\"/etc/vault\"]"]
        },
        { source = "mongo", tags = ["latest"], repository = "mongo" },
        { source = "redis", tags = ["latest"], repository = "redis" },
      ]
    }
    error_message = "longshore's file is not what the inputs say."
  }

  assert {
    condition     = keys(local.environment) == ["LONGSHORE_CONFIG"]
    error_message = "The build gets variables that nobody asked for."
  }

  assert {
    condition = yamldecode(aws_codebuild_project.main.source[0].buildspec) == {
      version = 0.2
      phases  = { build = { "on-failure" = "ABORT", commands = ["longshore apply"] } }
    }
    error_message = "The buildspec does more than to run longshore."
  }

  assert {
    condition     = { for name, repository in aws_ecr_repository.ecr : name => repository.name } == { "mongo" = "ecsclone/mongo", "redis" = "ecsclone/redis", "hashicorp/vault" = "ecsclone/hashicorp/vault" }
    error_message = "There is not one repository per name."
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.ecr : repository.force_delete && repository.image_tag_mutability == "MUTABLE"])
    error_message = "The repositories have other settings than before."
  }

  assert {
    condition     = alltrue([for policy in aws_ecr_lifecycle_policy.untagged : jsondecode(policy.policy).rules[0].selection == { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 1 }])
    error_message = "The repositories keep untagged images."
  }

  assert {
    condition     = aws_ssm_parameter.accesstoken.name == "ecs-clone-docker" && aws_ssm_parameter.accesstoken.type == "SecureString"
    error_message = "The token is not in its parameter."
  }

  assert {
    condition = [for variable in aws_codebuild_project.main.environment[0].environment_variable : variable if variable.type == "PARAMETER_STORE"] == [
      { name = "DOCKERHUB_TOKEN", type = "PARAMETER_STORE", value = "ecs-clone-docker" }
    ]
    error_message = "The build does not get the token from its parameter."
  }

  assert {
    condition     = aws_codebuild_project.main.environment[0].privileged_mode && aws_codebuild_project.main.environment[0].image == "aws/codebuild/standard:7.0" && aws_codebuild_project.main.environment[0].compute_type == "BUILD_GENERAL1_SMALL"
    error_message = "The build has no Docker."
  }

  assert {
    condition     = [aws_codebuild_project.main.name, aws_iam_role.main.name, aws_iam_role.cloudwatch_event.name, aws_cloudwatch_event_rule.cron.name, aws_scheduler_schedule.start.name] == ["ecs-clone-codebuild", "ecs-clone-codebuild-role", "ecs-clone-cloudwatch-event", "ecs-clone-cron", "ecs-clone-start"]
    error_message = "A name does not begin with the prefix."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.cron.schedule_expression == "cron(0 9 ? * * *)"
    error_message = "The schedule is another one."
  }

  assert {
    condition     = can(regex("^at\\(20[0-9-]{8}T[0-9:]{8}\\)$", aws_scheduler_schedule.start.schedule_expression))
    error_message = "No build is started at once."
  }

  assert {
    condition     = local.policy.Statement[1].Resource == ["arn:aws:ecr:eu-west-1:123456789012:repository/ecsclone/*"] && length(local.policy.Statement) == 4
    error_message = "The build may push elsewhere."
  }

  assert {
    condition     = output.image_base_url == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecsclone/"
    error_message = "image_base_url is not the one documented."
  }

  assert {
    condition     = output.image_digests == {} && keys(output.image_urls) == ["hashicorp/vault:1.13.3", "hashicorp/vault:1.14", "mongo:latest", "redis:latest"]
    error_message = "There is not one URL per image."
  }

  # The build image has to bring longshore.
  expect_failures = [check.longshore]
}

run "every_input" {
  command = plan

  variables {
    containers                      = { "redis" = ["7", "7"], "ghcr.io/org/app" = [] }
    build_commands                  = {}
    namespace                       = "hub"
    prefix                          = "clone-"
    docker_hub_username             = "other"
    docker_hub_access_token         = "dckr_pat_2"
    docker_hub_access_token_version = 7
    region                          = "eu-west-1"
    account_id                      = "123456789012"
    profile                         = "production"
    schedule_expression             = "rate(1 hour)"
    platforms                       = ["linux/amd64", "linux/arm64"]
    longshore_url                   = "https://example.com/longshore.tar.gz"
    longshore_sha256                = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    build_image                     = "aws/codebuild/standard:8.0"
    compute_type                    = "BUILD_GENERAL1_LARGE"
    read_digests                    = true
  }

  assert {
    condition = jsondecode(local.environment.LONGSHORE_CONFIG) == {
      version     = 1
      destination = { region = "eu-west-1", account_id = "123456789012", namespace = "hub" }
      upstreams   = { "docker.io" = { username = "other", password = { env = "DOCKERHUB_TOKEN" } } }
      images      = [{ source = "redis", tags = ["7"], repository = "redis", platforms = ["linux/amd64", "linux/arm64"] }]
    }
    error_message = "longshore's file is not what the inputs say."
  }

  assert {
    condition = yamldecode(aws_codebuild_project.main.source[0].buildspec) == {
      version = 0.2
      phases = {
        install = {
          "on-failure" = "ABORT"
          commands = [
            "curl --fail --silent --show-error --location --retry 5 --output longshore.download \"$LONGSHORE_URL\"",
            "echo \"$LONGSHORE_SHA256  longshore.download\" | sha256sum --check",
            "tar -xzf longshore.download longshore",
            "chmod +x longshore",
          ]
        }
        build = { "on-failure" = "ABORT", commands = ["./longshore apply"] }
      }
    }
    error_message = "The buildspec does not download longshore and check it."
  }

  assert {
    condition     = local.environment.LONGSHORE_URL == "https://example.com/longshore.tar.gz" && local.environment.LONGSHORE_SHA256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    error_message = "The build does not know where longshore is."
  }

  assert {
    condition     = !aws_codebuild_project.main.environment[0].privileged_mode && aws_codebuild_project.main.environment[0].image == "aws/codebuild/standard:8.0" && aws_codebuild_project.main.environment[0].compute_type == "BUILD_GENERAL1_LARGE"
    error_message = "The build runs elsewhere, or with more rights than it needs."
  }

  assert {
    condition     = aws_ssm_parameter.accesstoken.name == "clone-docker" && aws_ssm_parameter.accesstoken.value_wo_version == 7
    error_message = "The token's version is another one."
  }

  assert {
    condition     = aws_codebuild_project.main.name == "clone-codebuild" && aws_cloudwatch_event_rule.cron.schedule_expression == "rate(1 hour)"
    error_message = "The prefix or the schedule is another one."
  }

  assert {
    condition     = output.image_base_url == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/hub/"
    error_message = "The namespace is another one."
  }

  assert {
    condition     = keys(data.aws_ecr_image.ecr) == ["redis:7"]
    error_message = "The digests are not read."
  }
}

run "longshore_from_a_private_image" {
  command = plan

  variables {
    longshore_image = "210987654321.dkr.ecr.us-east-1.amazonaws.com/tools/longshore:0.1.0"
  }

  assert {
    condition = yamldecode(aws_codebuild_project.main.source[0].buildspec).phases.install.commands == [
      "aws ecr get-login-password --region \"$LONGSHORE_IMAGE_REGION\" | docker login --username AWS --password-stdin \"$LONGSHORE_IMAGE_REGISTRY\"",
      "LONGSHORE_CONTAINER=$(docker create \"$LONGSHORE_IMAGE\" --version)",
      "docker cp \"$LONGSHORE_CONTAINER:/longshore\" longshore",
      "docker rm \"$LONGSHORE_CONTAINER\"",
      "chmod +x longshore",
    ]
    error_message = "The buildspec does not take longshore out of its image."
  }

  assert {
    condition     = [local.environment.LONGSHORE_IMAGE, local.environment.LONGSHORE_IMAGE_REGION, local.environment.LONGSHORE_IMAGE_REGISTRY] == ["210987654321.dkr.ecr.us-east-1.amazonaws.com/tools/longshore:0.1.0", "us-east-1", "210987654321.dkr.ecr.us-east-1.amazonaws.com"]
    error_message = "The build does not know where longshore's image is."
  }

  assert {
    condition     = local.policy.Statement[4].Resource == ["arn:aws:ecr:us-east-1:210987654321:repository/tools/longshore"]
    error_message = "The build may not read longshore's image."
  }
}

run "longshore_from_a_public_image" {
  command = plan

  variables {
    containers      = { "redis" = ["7"] }
    build_commands  = {}
    longshore_image = "registry.example/longshore:0.1.0"
  }

  assert {
    condition     = yamldecode(aws_codebuild_project.main.source[0].buildspec).phases.install.commands[0] == "LONGSHORE_CONTAINER=$(docker create \"$LONGSHORE_IMAGE\" --version)" && length(local.policy.Statement) == 4
    error_message = "The build logs in where it need not."
  }

  assert {
    condition     = aws_codebuild_project.main.environment[0].privileged_mode
    error_message = "The build has no Docker, which takes longshore out of its image."
  }
}

run "a_program_as_it_is" {
  command = plan

  variables {
    longshore_url    = "https://example.com/longshore"
    longshore_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  }

  assert {
    condition     = yamldecode(aws_codebuild_project.main.source[0].buildspec).phases.install.commands[2] == "mv longshore.download longshore"
    error_message = "A program that is no archive is unpacked."
  }
}

run "a_new_token_is_noticed" {
  command = plan

  variables {
    docker_hub_access_token = "dckr_pat_3"
    longshore_image         = "registry.example/longshore:0.1.0"
  }

  assert {
    condition     = aws_ssm_parameter.accesstoken.value_wo_version == parseint(substr(sha256("dckr_pat_3"), 0, 7), 16)
    error_message = "A new token is not noticed."
  }
}

run "another_region" {
  command = plan

  variables {
    region          = "us-east-1"
    longshore_image = "registry.example/longshore:0.1.0"
  }

  expect_failures = [data.aws_region.current]
}

run "another_account" {
  command = plan

  variables {
    account_id      = "210987654321"
    longshore_image = "registry.example/longshore:0.1.0"
  }

  expect_failures = [data.aws_caller_identity.current]
}

run "a_download_without_encryption" {
  command = plan

  variables {
    longshore_url = "http://example.com/longshore"
  }

  expect_failures = [var.longshore_url]
}

run "an_unsound_hash_and_two_origins" {
  command = plan

  variables {
    longshore_url    = "https://example.com/longshore"
    longshore_sha256 = "E3B0"
    longshore_image  = "registry.example/longshore:0.1.0"
  }

  expect_failures = [var.longshore_sha256, var.longshore_image]
}

run "a_download_without_its_hash" {
  command = plan

  variables {
    longshore_url = "https://example.com/longshore"
  }

  expect_failures = [var.longshore_sha256]
}

run "lines_for_nothing" {
  command = plan

  variables {
    build_commands  = { "redis:6" = ["USER 1"] }
    longshore_image = "registry.example/longshore:0.1.0"
  }

  expect_failures = [check.build_commands]
}

run "no_containers" {
  command = plan

  variables {
    containers      = {}
    build_commands  = {}
    longshore_image = "registry.example/longshore:0.1.0"
  }

  expect_failures = [var.containers]
}

run "containers_without_tags" {
  command = plan

  variables {
    containers      = { mongo = [], redis = [] }
    build_commands  = {}
    longshore_image = "registry.example/longshore:0.1.0"
  }

  expect_failures = [var.containers]
}
