terraform {
  # Write-only arguments.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # `secret_string_wo` of `aws_secretsmanager_secret_version`.
      version = ">= 5.88"
    }
  }
}
