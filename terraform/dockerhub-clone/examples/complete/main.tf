provider "aws" {
  region = "eu-west-1"
}

variable "docker_hub_access_token" {
  type      = string
  sensitive = true
}

module "dockerhub_clone" {
  source = "../.."

  docker_hub_username     = "acme"
  docker_hub_access_token = var.docker_hub_access_token

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

  # Beyond the module that this one replaces:
  longshore_image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/longshore:0.1.0"
}

output "image_urls" {
  value = module.dockerhub_clone.image_urls
}
