provider "aws" {
  region = "us-east-1"
}

module "pull_sync" {
  source = "../.."

  namespace      = "example-ecr-sync"
  task_image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/longshore"
  task_image_tag = "0.1.0"
  schedule       = "rate(15 minutes)"

  config = {
    mode = "create"
    repos = [
      {
        source = "111122223333.dkr.ecr.us-east-1.amazonaws.com/my-app"
        tags   = ["v1.*", "latest"]
      },
      {
        source      = "111122223333.dkr.ecr.us-east-1.amazonaws.com/another-app"
        destination = "renamed-app"
        tags        = ["stable"]
      },
    ]
    repo_defaults = {
      scan_on_push     = true
      tag_immutability = true
      encryption_type  = "AES256"
    }
  }

  task_vpc_id           = "vpc-0123456789abcdef0"
  task_subnet_ids       = ["subnet-0123456789abcdef0", "subnet-fedcba9876543210f"]
  task_assign_public_ip = false

  # Beyond the module that this one replaces:
  alarm_actions = ["arn:aws:sns:us-east-1:123456789012:on-call"]
}

output "destination_urls" {
  value = module.pull_sync.destination_urls
}
