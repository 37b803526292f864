terraform {
  # `plantimestamp`; `terraform_data` came with 1.4.
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 3.0"
    }
  }
}
