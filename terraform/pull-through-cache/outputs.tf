output "ecr_pullthroughcache_policy_arn" {
  description = "The IAM policy that allows pulling; attach it to whoever pulls."
  value       = aws_iam_policy.ecr_pullthroughcache.arn
}

output "ecr_pullthroughcache_policy_name" {
  description = "The name of the IAM policy."
  value       = aws_iam_policy.ecr_pullthroughcache.name
}

output "pull_through_cache_url" {
  description = "What the names of cached images begin with; official images of Docker Hub are below `library/` there."
  value       = "${local.account_id}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}/${var.upstream_registry}/"
}

output "secret_arn" {
  description = "The secret to fill in; null where there is none."
  value       = one(aws_secretsmanager_secret.ecr_pullthroughcache[*].arn)
}
