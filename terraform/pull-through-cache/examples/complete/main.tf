provider "aws" {
  region = "eu-west-1"
}

module "docker_hub" {
  source = "../.."

  upstream_registry     = "docker-hub"
  upstream_registry_url = "registry-1.docker.io"
}

# No login is needed here.
module "others" {
  source   = "../.."
  for_each = { quay = "quay.io", kubernetes = "registry.k8s.io" }

  upstream_registry     = each.key
  upstream_registry_url = each.value
  credentials           = {}
}

resource "aws_iam_role" "puller" {
  name = "puller"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "puller" {
  role       = aws_iam_role.puller.name
  policy_arn = module.docker_hub.ecr_pullthroughcache_policy_arn
}
