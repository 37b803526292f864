data "aws_partition" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = !var.read_digest || self.id == var.aws_region
      error_message = "aws_region is ${var.aws_region}, but the AWS provider of this module is for ${self.id}. Pass a provider for ${var.aws_region} with `providers = { aws = aws.ALIAS }`, or set read_digest to false."
    }
  }
}

locals {
  repository = "${var.aws_account_id}.dkr.ecr.${var.aws_region}.${data.aws_partition.current.dns_suffix}/${var.ecr_repo_name}"

  # longshore reads these; what is empty counts as absent. Some are set only so that a variable of
  # Terraform's own environment cannot send the image elsewhere.
  environment = {
    LONGSHORE_SOURCE     = var.docker_source
    LONGSHORE_REPOSITORY = "${var.ecr_repo_name}:${var.ecr_repo_tag}"
    LONGSHORE_TO         = ""
    LONGSHORE_ALL_TAGS   = ""
    LONGSHORE_NAMESPACE  = ""
    LONGSHORE_REGION     = var.aws_region
    LONGSHORE_ACCOUNT_ID = var.aws_account_id
    LONGSHORE_PROFILE    = var.aws_profile
    LONGSHORE_PLATFORM   = var.architecture
    LONGSHORE_LINE       = join("\n", var.lines)
  }
}

resource "terraform_data" "mirror" {
  triggers_replace = {
    environment = local.environment
    refreshed   = var.refresh ? plantimestamp() : null
  }

  provisioner "local-exec" {
    # No shell: the program is called as it is.
    interpreter = [var.longshore]
    command     = "mirror"
    environment = local.environment
  }
}

data "aws_ecr_image" "mirror" {
  count = var.read_digest ? 1 : 0

  registry_id     = var.aws_account_id
  repository_name = var.ecr_repo_name
  image_tag       = var.ecr_repo_tag

  depends_on = [data.aws_region.current, terraform_data.mirror]
}
