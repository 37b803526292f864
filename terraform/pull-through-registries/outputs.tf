output "pull_through_cache_urls" {
  description = "How an image is named through the cache, by prefix; official images of Docker Hub are below `library/` there."
  value = {
    for prefix in local.prefixes : prefix => "${local.account_id}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}/${prefix}/your_image:tag"
  }
}

output "secret_arns" {
  description = "The secrets, by prefix."
  value       = { for prefix, secret in aws_secretsmanager_secret.this : prefix => secret.arn }
}
