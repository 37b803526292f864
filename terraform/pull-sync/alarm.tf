# A run failed when its task did not start or longshore's exit code is not 0. The events are kept in
# a queue, where they tell why; without a target the rule would have no metric.
resource "aws_cloudwatch_event_rule" "failure" {
  name        = "${var.namespace}-failure"
  description = "Runs that failed."
  event_pattern = jsonencode({
    source        = ["aws.ecs"]
    "detail-type" = ["ECS Task State Change"]
    detail = {
      clusterArn = [aws_ecs_cluster.this.arn]
      lastStatus = ["STOPPED"]
      "$or" = [
        { stopCode = ["TaskFailedToStart"] },
        { containers = { exitCode = [{ "anything-but" = [0] }] } },
      ]
    }
  })
}

resource "aws_cloudwatch_event_target" "failure" {
  rule = aws_cloudwatch_event_rule.failure.name
  arn  = aws_sqs_queue.failure.arn
}

resource "aws_sqs_queue" "failure" {
  name                      = "${var.namespace}-failure"
  message_retention_seconds = 1209600
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "events.amazonaws.com" }
      Resource  = "*"
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.failure.arn } }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "failure" {
  alarm_name          = "${var.namespace}-failure"
  alarm_description   = "A run failed or could not start: see the log group ${aws_cloudwatch_log_group.task.name} and the queue ${aws_sqs_queue.failure.name}."
  alarm_actions       = var.alarm_actions
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 0
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "all"
    label       = "Runs that failed or could not start"
    expression  = "FILL(failed, 0) + FILL(unstarted, 0)"
    return_data = true
  }

  metric_query {
    id = "failed"

    metric {
      namespace   = "AWS/Events"
      metric_name = "Invocations"
      dimensions  = { RuleName = aws_cloudwatch_event_rule.failure.name }
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "unstarted"

    metric {
      namespace   = "AWS/Events"
      metric_name = "FailedInvocations"
      dimensions  = { RuleName = aws_cloudwatch_event_rule.schedule.name }
      period      = 300
      stat        = "Sum"
    }
  }
}
