# Terraform has longshore load these images into Amazon ECR, wherever Terraform itself runs. The
# longshore program is found on the PATH, its AWS login as the AWS SDK finds one.
#
# The modules in longshore's folder `terraform` do more: a build on a schedule, the repositories and
# roles, a pull-through cache.

locals {
  # The same keys as in longshore.yaml.
  longshore = {
    version = 1
    destination = {
      # region  = "eu-west-1"
      namespace = "hub"
    }
    images = [
      "redis:8",
      {
        source  = "hashicorp/vault"
        tags    = ["1.14"]
        builder = "auto"
        lines   = ["VOLUME [\"/etc/vault\"]"]
      },
    ]
  }
}

resource "terraform_data" "longshore" {
  # Applied when the images change here. To follow tags that move upstream, replace it with
  # plantimestamp(): an image that did not change is free.
  triggers_replace = [jsonencode(local.longshore)]

  provisioner "local-exec" {
    command = "longshore apply"
    environment = {
      LONGSHORE_CONFIG = jsonencode(local.longshore)
    }
  }
}
