variable "containers" {
  description = "The images of Docker Hub to clone, by name, with their tags."
  type        = map(list(string))
  nullable    = false

  validation {
    condition     = length(flatten(values(var.containers))) > 0
    error_message = "containers names no image, so that every build would fail; remove the module instead, or set its count to 0."
  }
}

variable "build_commands" {
  description = "Dockerfile lines that follow `FROM`, by `NAME:TAG`. An image without lines is copied as it is."
  type        = map(list(string))
  default     = {}
  nullable    = false
}

variable "namespace" {
  description = "The prefix of all repositories in ECR."
  type        = string
  default     = "ecsclone"
  nullable    = false
}

variable "prefix" {
  description = "The prefix of the names of all other resources."
  type        = string
  default     = "ecs-clone-"
  nullable    = false
}

variable "docker_hub_username" {
  description = "The user at Docker Hub."
  type        = string
}

variable "docker_hub_access_token" {
  description = "The user's access token, which may read public repositories. It is kept in SSM Parameter Store, not in the state."
  type        = string
  sensitive   = true
}

variable "docker_hub_access_token_version" {
  description = "A number that is raised with every new token. Where null, a new token is noticed by 28 bits of its SHA-256 hash, which the state holds."
  type        = number
  default     = null
}

variable "region" {
  description = "The region of all resources, which must be the provider's; where null, the provider's."
  type        = string
  default     = null
}

variable "account_id" {
  description = "The account of all resources, which must be the provider's; where null, the provider's."
  type        = string
  default     = null
}

variable "profile" {
  description = "Not needed any more, and ignored: Terraform calls no AWS CLI."
  type        = string
  default     = null
}

variable "schedule_expression" {
  description = "When the images are looked at again, as EventBridge writes it."
  type        = string
  default     = "cron(0 9 ? * * *)"
  nullable    = false
}

variable "platforms" {
  description = "The platforms of every image, such as `[\"linux/amd64\"]`; where null, all, and CodeBuild's own for images with `RUN` lines."
  type        = list(string)
  default     = null
}

variable "longshore_url" {
  description = "Where CodeBuild downloads longshore: the program, or a `.tar.gz` of it."
  type        = string
  default     = null

  validation {
    condition     = var.longshore_url == null || can(regex("^(https://|http://(127\\.0\\.0\\.1|localhost)[:/])", var.longshore_url))
    error_message = "longshore_url begins with https://; plain HTTP is for this machine only."
  }
}

variable "longshore_sha256" {
  description = "The SHA-256 hash of what `longshore_url` gives."
  type        = string
  default     = null

  validation {
    condition     = (var.longshore_sha256 == null) == (var.longshore_url == null)
    error_message = "longshore_url and longshore_sha256 go together."
  }

  validation {
    condition     = var.longshore_sha256 == null || can(regex("^[0-9a-f]{64}$", var.longshore_sha256))
    error_message = "longshore_sha256 has 64 hexadecimal digits in lower case."
  }
}

variable "longshore_image" {
  description = "The container image from which CodeBuild takes longshore, instead of from `longshore_url`. In a private ECR it is read with the project's role, by the AWS CLI that CodeBuild's own images have."
  type        = string
  default     = null

  validation {
    condition     = var.longshore_image == null || var.longshore_url == null
    error_message = "longshore comes from longshore_url or from longshore_image, not from both."
  }
}

variable "build_image" {
  description = "The image in which CodeBuild runs."
  type        = string
  default     = "aws/codebuild/standard:7.0"
  nullable    = false
}

variable "compute_type" {
  description = "The machine on which CodeBuild runs."
  type        = string
  default     = "BUILD_GENERAL1_SMALL"
  nullable    = false
}

variable "read_digests" {
  description = "Whether digests are read back from ECR for the output `image_digests`. Fails before the first build has pushed every tag."
  type        = bool
  default     = false
  nullable    = false
}
