# --- Where the task runs ------------------------------------------------------------------------

data "aws_vpc" "default" {
  count = length(var.task_subnet_ids) == 0 ? 1 : 0

  default = true
}

data "aws_subnets" "default" {
  count = length(var.task_subnet_ids) == 0 ? 1 : 0

  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default[0].id]
  }
}

locals {
  vpc_id     = length(var.task_subnet_ids) == 0 ? data.aws_vpc.default[0].id : var.task_vpc_id
  subnet_ids = length(var.task_subnet_ids) == 0 ? data.aws_subnets.default[0].ids : var.task_subnet_ids
}

resource "aws_security_group" "task" {
  name        = var.namespace
  description = "The task reaches registries and AWS; nothing reaches it."
  vpc_id      = local.vpc_id

  egress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }

  lifecycle {
    precondition {
      condition     = (var.task_vpc_id == null) == (length(var.task_subnet_ids) == 0)
      error_message = "task_vpc_id and task_subnet_ids go together."
    }
  }
}

# --- When it runs -------------------------------------------------------------------------------

resource "aws_cloudwatch_event_rule" "schedule" {
  name                = var.namespace
  description         = "Copies images into ECR."
  schedule_expression = var.schedule
}

resource "aws_cloudwatch_event_target" "task" {
  # Without repositories there is nothing to do, which longshore takes for a mistake.
  count = length(local.repos) > 0 ? 1 : 0

  rule     = aws_cloudwatch_event_rule.schedule.name
  arn      = aws_ecs_cluster.this.arn
  role_arn = aws_iam_role.events.arn

  ecs_target {
    task_definition_arn = aws_ecs_task_definition.this.arn
    launch_type         = "FARGATE"

    network_configuration {
      subnets          = local.subnet_ids
      security_groups  = [aws_security_group.task.id]
      assign_public_ip = var.task_assign_public_ip
    }
  }
}

resource "aws_iam_role" "events" {
  name = "${var.namespace}-events"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "events" {
  name = "run-task"
  role = aws_iam_role.events.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:task-definition/${var.namespace}:*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Effect   = "Allow"
        Action   = "iam:PassRole"
        Resource = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
      },
    ]
  })
}
