locals {
  ecs_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })

  destination_arns = [for repo in local.repos : "${local.ecr_arn}:${local.region}:${local.account_id}:repository/${repo.destination}"]
  source_arns      = [for source in local.ecr_sources : "${local.ecr_arn}:${source.region}:${source.account}:repository/${source.name}"]

  # What longshore does, by what it does it to.
  task_policy = {
    Version = "2012-10-17"
    Statement = [
      for statement in [
        {
          Effect   = "Allow"
          Action   = ["ecr:GetAccountSetting", "ecr:GetAuthorizationToken"]
          Resource = ["*"]
        },
        {
          Effect   = "Allow"
          Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"]
          Resource = distinct(local.source_arns)
        },
        {
          Effect = "Allow"
          Action = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeRepositories",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:ListImages",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
          ]
          Resource = distinct(local.destination_arns)
        },
        {
          Effect   = "Allow"
          Action   = ["ecr:CreateRepository"]
          Resource = var.config.mode == "create" ? distinct(local.destination_arns) : []
        },
        {
          Effect   = "Allow"
          Action   = ["kms:CreateGrant", "kms:DescribeKey"]
          Resource = var.config.mode == "create" && local.defaults.encryption_type == "KMS" ? [local.kms_key_arn] : []
        },
      ] : statement if length(statement.Resource) > 0
    ]
  }
}

resource "aws_iam_role" "task" {
  name               = "${var.namespace}-task"
  assume_role_policy = local.ecs_trust
}

resource "aws_iam_role_policy" "task" {
  name   = "longshore"
  role   = aws_iam_role.task.name
  policy = jsonencode(local.task_policy)
}

# --- Before longshore runs: its image, its file and its log -------------------------------------

resource "aws_iam_role" "execution" {
  name               = "${var.namespace}-execution"
  assume_role_policy = local.ecs_trust
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:GetAuthorizationToken",
          "ecr:GetDownloadUrlForLayer",
        ]
        Resource = "*"
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = "arn:${local.partition}:s3:::${aws_s3_bucket.config.id}/${aws_s3_object.config.key}"
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation"]
        Resource = "arn:${local.partition}:s3:::${aws_s3_bucket.config.id}"
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.task.arn}:*"
      },
    ]
  })
}
