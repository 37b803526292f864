# Every input, and what becomes of it. Nothing is run: these are plans.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
}

variables {
  docker_source  = "wordpress:php7.4-apache"
  aws_region     = "eu-west-1"
  aws_account_id = "123456789012"
  ecr_repo_name  = "php_wordpress"
  ecr_repo_tag   = "base"
}

run "required_inputs_alone" {
  command = plan

  assert {
    condition = local.environment == {
      LONGSHORE_SOURCE     = "wordpress:php7.4-apache"
      LONGSHORE_REPOSITORY = "php_wordpress:base"
      LONGSHORE_TO         = ""
      LONGSHORE_ALL_TAGS   = ""
      LONGSHORE_NAMESPACE  = ""
      LONGSHORE_REGION     = "eu-west-1"
      LONGSHORE_ACCOUNT_ID = "123456789012"
      LONGSHORE_PROFILE    = ""
      LONGSHORE_PLATFORM   = ""
      LONGSHORE_LINE       = ""
    }
    error_message = "The environment of longshore is not what the inputs say."
  }

  assert {
    condition     = terraform_data.mirror.triggers_replace.environment == local.environment
    error_message = "A change of an input does not run longshore again."
  }

  assert {
    condition     = terraform_data.mirror.triggers_replace.refreshed == null
    error_message = "longshore runs at every apply although nobody asked for it."
  }

  assert {
    condition     = [output.ecr_repo_url, output.ecr_repo_url_tag] == ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/php_wordpress", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/php_wordpress:base"]
    error_message = "A documented output is wrong."
  }

  assert {
    condition     = length(data.aws_ecr_image.mirror) == 1
    error_message = "The digest is not read."
  }
}

run "every_input" {
  command = plan

  variables {
    docker_source  = "ghcr.io/org/app:1 $(touch /tmp/x)"
    aws_region     = "cn-north-1"
    aws_account_id = "012345678901"
    aws_profile    = "china"
    ecr_repo_name  = "team/app"
    ecr_repo_tag   = "1"
    architecture   = "linux/arm64/v8"
    lines          = ["RUN mkdir /etc/vault", "VOLUME [\"/etc/vault\"]"]
    refresh        = true
    read_digest    = true
    longshore      = "/opt/longshore"
  }

  override_data {
    target = data.aws_partition.current
    values = { dns_suffix = "amazonaws.com.cn" }
  }

  override_data {
    target = data.aws_region.current
    values = { id = "cn-north-1" }
  }

  assert {
    condition = local.environment == {
      LONGSHORE_SOURCE     = "ghcr.io/org/app:1 $(touch /tmp/x)"
      LONGSHORE_REPOSITORY = "team/app:1"
      LONGSHORE_TO         = ""
      LONGSHORE_ALL_TAGS   = ""
      LONGSHORE_NAMESPACE  = ""
      LONGSHORE_REGION     = "cn-north-1"
      LONGSHORE_ACCOUNT_ID = "012345678901"
      LONGSHORE_PROFILE    = "china"
      LONGSHORE_PLATFORM   = "linux/arm64/v8"
      LONGSHORE_LINE       = "RUN mkdir /etc/vault\nVOLUME [\"/etc/vault\"]"
    }
    error_message = "The environment of longshore is not what the inputs say."
  }

  assert {
    condition     = can(timeadd(terraform_data.mirror.triggers_replace.refreshed, "0s"))
    error_message = "longshore does not run at every apply although it was asked for."
  }

  assert {
    condition     = [output.ecr_repo_url, output.ecr_repo_url_tag] == ["012345678901.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app", "012345678901.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app:1"]
    error_message = "A documented output is wrong."
  }
}

run "the_digest_may_stay_unread" {
  command = plan

  variables {
    aws_region  = "us-east-1"
    read_digest = false
  }

  assert {
    condition     = output.image_digest == null && length(data.aws_ecr_image.mirror) == 0
    error_message = "The digest is read although nobody asked for it."
  }
}

run "the_provider_is_for_another_region" {
  command = plan

  variables {
    aws_region = "us-east-1"
  }

  expect_failures = [data.aws_region.current]
}

run "unsound_inputs" {
  command = plan

  variables {
    aws_account_id = "12345678901"
    lines          = ["RUN a \\\n  && b"]
  }

  expect_failures = [var.aws_account_id, var.lines]
}
