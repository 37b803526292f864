resource "aws_iam_role" "cloudwatch_event" {
  name = "${var.prefix}cloudwatch-event"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["events.amazonaws.com", "scheduler.amazonaws.com"] }
    }]
  })
}

resource "aws_iam_role_policy" "cloudwatch_event" {
  name = "cloudwatch-event"
  role = aws_iam_role.cloudwatch_event.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "codebuild:StartBuild"
      Resource = aws_codebuild_project.main.arn
    }]
  })
}

# --- Again and again ----------------------------------------------------------------------------

resource "aws_cloudwatch_event_rule" "cron" {
  name                = "${var.prefix}cron"
  description         = "Looks at the images of Docker Hub again."
  schedule_expression = var.schedule_expression
}

resource "aws_cloudwatch_event_target" "codebuild" {
  rule     = aws_cloudwatch_event_rule.cron.name
  arn      = aws_codebuild_project.main.arn
  role_arn = aws_iam_role.cloudwatch_event.arn
}

# --- At once when an input changed --------------------------------------------------------------

# Two minutes from now, while a new role becomes known everywhere. The time stays what it was until
# something that decides about the images is another.
resource "terraform_data" "start" {
  triggers_replace = sha256(jsonencode([local.environment, local.buildspec, local.token_version]))
  input            = timeadd(timestamp(), "2m")

  lifecycle {
    ignore_changes = [input]
  }

  depends_on = [
    aws_codebuild_project.main,
    aws_ecr_repository.ecr,
    aws_iam_role_policy.cloudwatch_event,
    aws_iam_role_policy.main,
  ]
}

resource "aws_scheduler_schedule" "start" {
  name                = "${var.prefix}start"
  description         = "Starts one build after a change."
  schedule_expression = "at(${formatdate("YYYY-MM-DD'T'hh:mm:ss", terraform_data.start.output)})"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_codebuild_project.main.arn
    role_arn = aws_iam_role.cloudwatch_event.arn

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }

  lifecycle {
    replace_triggered_by = [terraform_data.start]
  }
}
