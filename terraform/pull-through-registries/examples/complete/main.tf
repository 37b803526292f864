provider "aws" {
  region = "us-east-1"
}

variable "docker_hub_access_token" {
  type      = string
  sensitive = true
}

module "pull_through_registries" {
  source = "../.."

  registries = {
    dockerhub = {
      registry    = "registry-1.docker.io"
      username    = "acme"
      accessToken = var.docker_hub_access_token
    }
    quay = {
      registry             = "quay.io"
      image_tag_mutability = "MUTABLE"
      lifecycle_policy = {
        rules = [{
          rulePriority = 1
          description  = "Keep last 10 images"
          selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
          action       = { type = "expire" }
        }]
      }
    }
  }

  tags = {
    ManagedBy = "Terraform"
  }
}

output "urls" {
  value = module.pull_through_registries.pull_through_cache_urls
}
