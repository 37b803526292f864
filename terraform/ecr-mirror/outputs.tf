output "ecr_repo_url" {
  description = "The repository: `HOST/REPOSITORY`."
  value       = local.repository
  depends_on  = [terraform_data.mirror]
}

output "ecr_repo_url_tag" {
  description = "The image with its tag: `HOST/REPOSITORY:TAG`."
  value       = "${local.repository}:${var.ecr_repo_tag}"
  depends_on  = [terraform_data.mirror]
}

output "image_digest" {
  description = "The image by its digest: `HOST/REPOSITORY@sha256:...`; null where `read_digest` is false."
  value       = one([for image in data.aws_ecr_image.mirror : "${local.repository}@${image.image_digest}"])
}
