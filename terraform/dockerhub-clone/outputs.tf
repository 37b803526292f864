output "image_base_url" {
  description = "What the URLs of all images begin with."
  value       = "${local.registry}/${var.namespace}/"
}

output "image_urls" {
  description = "`HOST/REPOSITORY:TAG` in ECR, by `NAME:TAG` at Docker Hub."
  value       = { for key, image in local.images : key => "${aws_ecr_repository.ecr[image.name].repository_url}:${image.tag}" }
}

output "image_digests" {
  description = "`HOST/REPOSITORY@sha256:...` in ECR, by `NAME:TAG` at Docker Hub; empty where `read_digests` is false."
  value       = { for key, image in data.aws_ecr_image.ecr : key => "${aws_ecr_repository.ecr[local.images[key].name].repository_url}@${image.image_digest}" }
}

output "codebuild_project_name" {
  description = "The CodeBuild project, to start a build by hand."
  value       = aws_codebuild_project.main.name
}
