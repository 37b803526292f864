output "destination_urls" {
  description = "`HOST/REPOSITORY` here, in the order of `config.repos`."
  value       = [for repo in local.repos : "${local.account_id}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}/${repo.destination}"]
}

output "cluster_arn" {
  description = "The ECS cluster of the task."
  value       = aws_ecs_cluster.this.arn
}

output "task_definition_arn" {
  description = "The task definition, to run the task by hand."
  value       = aws_ecs_task_definition.this.arn
}

output "task_role_arn" {
  description = "The role as which longshore reads and writes; the policies of sources in other accounts name it or its account."
  value       = aws_iam_role.task.arn
}

output "security_group_id" {
  description = "The security group of the task."
  value       = aws_security_group.task.id
}

output "log_group_name" {
  description = "The log group of the task."
  value       = aws_cloudwatch_log_group.task.name
}

output "alarm_arn" {
  description = "The alarm of runs that failed."
  value       = aws_cloudwatch_metric_alarm.failure.arn
}

output "config_object" {
  description = "The bucket and key of the environment file that holds longshore's file."
  value       = { bucket = aws_s3_bucket.config.id, key = aws_s3_object.config.key }
}
