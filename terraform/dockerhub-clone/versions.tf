terraform {
  # Write-only arguments.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # `value_wo` of `aws_ssm_parameter`.
      version = ">= 5.87"
    }
  }
}
