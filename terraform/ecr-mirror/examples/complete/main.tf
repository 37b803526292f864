provider "aws" {
  region = "eu-west-1"
}

module "ecr_mirror" {
  source = "../.."

  docker_source  = "wordpress:php7.4-apache"
  aws_region     = "eu-west-1"
  aws_account_id = "123456789012"
  ecr_repo_name  = "php_wordpress"
  ecr_repo_tag   = "base"
  architecture   = "linux/arm64/v8"

  # Beyond the module that this one replaces:
  lines   = ["ENV APACHE_LOG_DIR=/var/log/apache2"]
  refresh = true
}

output "image" {
  value = module.ecr_mirror.image_digest
}
