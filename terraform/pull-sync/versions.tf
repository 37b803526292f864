terraform {
  # Optional attributes with defaults.
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # `aws_s3_object`.
      version = ">= 4.0"
    }
  }
}
