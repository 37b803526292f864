locals {
  # The parts of an image's name in a private ECR; null for any other.
  longshore_ecr = try(regex("^(?P<registry>(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.[^/]+)/(?P<repository>[^:@]+)", var.longshore_image), null)

  origin = var.longshore_url != null ? "url" : var.longshore_image != null ? "image" : "path"

  buildspec = templatefile("${path.module}/../../templates/buildspec.yml.tftpl", {
    origin  = local.origin
    archive = var.longshore_url != null && endswith(coalesce(var.longshore_url, "-"), ".tar.gz")
    login   = local.longshore_ecr != null
  })

  environment = {
    for name, value in {
      LONGSHORE_CONFIG         = jsonencode(local.config)
      LONGSHORE_URL            = var.longshore_url
      LONGSHORE_SHA256         = var.longshore_sha256
      LONGSHORE_IMAGE          = var.longshore_image
      LONGSHORE_IMAGE_REGION   = try(local.longshore_ecr.region, null)
      LONGSHORE_IMAGE_REGISTRY = try(local.longshore_ecr.registry, null)
    } : name => value if value != null
  }
}

check "longshore" {
  assert {
    condition     = local.origin != "path"
    error_message = "Neither longshore_url nor longshore_image is given, so every build fails unless the build image has longshore on its PATH."
  }
}

check "build_commands" {
  assert {
    condition     = length(setsubtract(keys(var.build_commands), keys(local.images))) == 0
    error_message = "build_commands has lines for what containers does not have: ${join(", ", setsubtract(keys(var.build_commands), keys(local.images)))}."
  }
}

locals {
  policy = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect   = "Allow"
          Action   = ["ecr:GetAccountSetting", "ecr:GetAuthorizationToken"]
          Resource = ["*"]
        },
        {
          Effect = "Allow"
          Action = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchDeleteImage",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeRepositories",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:ListImages",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
          ]
          Resource = ["arn:${local.partition}:ecr:${local.region}:${local.account_id}:repository/${var.namespace}/*"]
        },
        {
          Effect   = "Allow"
          Action   = ["ssm:GetParameters"]
          Resource = ["arn:${local.partition}:ssm:${local.region}:${local.account_id}:parameter/${var.prefix}docker"]
        },
        {
          Effect = "Allow"
          Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = [
            "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${var.prefix}log-group",
            "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${var.prefix}log-group:*",
          ]
        },
      ],
      [
        for image in local.longshore_ecr[*] : {
          Effect   = "Allow"
          Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = ["arn:${local.partition}:ecr:${image.region}:${image.account}:repository/${image.repository}"]
        }
      ],
    )
  }
}

resource "aws_iam_role" "main" {
  name = "${var.prefix}codebuild-role"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "codebuild.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "main" {
  role   = aws_iam_role.main.name
  policy = jsonencode(local.policy)
}

resource "aws_codebuild_project" "main" {
  name          = "${var.prefix}codebuild"
  description   = "Keeps images of Docker Hub in ECR."
  build_timeout = 480
  service_role  = aws_iam_role.main.arn

  artifacts {
    type = "NO_ARTIFACTS"
  }

  environment {
    compute_type                = var.compute_type
    image                       = var.build_image
    type                        = "LINUX_CONTAINER"
    image_pull_credentials_type = "CODEBUILD"
    # Docker runs in privileged mode only, and only lines and longshore's own image need it.
    privileged_mode = local.origin == "image" || anytrue([for image in local.config.images : can(image.lines)])

    dynamic "environment_variable" {
      for_each = local.environment

      content {
        name  = environment_variable.key
        value = environment_variable.value
      }
    }

    environment_variable {
      name  = "DOCKERHUB_TOKEN"
      type  = "PARAMETER_STORE"
      value = aws_ssm_parameter.accesstoken.name
    }
  }

  source {
    type      = "NO_SOURCE"
    buildspec = local.buildspec
  }

  logs_config {
    cloudwatch_logs {
      group_name = "${var.prefix}log-group"
    }
  }
}
