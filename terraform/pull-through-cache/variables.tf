variable "aws_region" {
  description = "The region of the rule, which must be the provider's; where null, the provider's."
  type        = string
  default     = null
}

variable "upstream_registry" {
  description = "The prefix of the cached repositories, and the name of the secret."
  type        = string
  default     = "docker-hub"
  nullable    = false
}

variable "upstream_registry_url" {
  description = "The host of the upstream registry."
  type        = string
  default     = "registry-1.docker.io"
  nullable    = false
}

variable "credentials" {
  description = "The `username` and `accessToken` that the secret is made with; what it holds later is left alone, so that it can be filled in by hand. Where empty, there is no secret, as for `public.ecr.aws`, `registry.k8s.io` and `quay.io`."
  type        = map(string)
  sensitive   = true
  nullable    = false
  default = {
    username    = "FILL-ME"
    accessToken = "FILL-ME"
  }

  validation {
    condition     = length(var.credentials) == 0 || length(setsubtract(["username", "accessToken"], keys(var.credentials))) == 0
    error_message = "credentials has a username and an accessToken, or nothing."
  }
}

variable "credentials_version" {
  description = "A number that is raised to write `credentials` into the secret again."
  type        = number
  default     = 1
  nullable    = false
}

variable "policy_name" {
  description = "The name of the IAM policy; where null, `REGION-ecr-pullthroughcache-UPSTREAM_REGISTRY`."
  type        = string
  default     = null
}

variable "image_tag_mutability" {
  description = "Whether tags of cached repositories can move: `MUTABLE` or `IMMUTABLE`, with which ECR cannot follow the upstream registry. Where null, ECR's own default."
  type        = string
  default     = null
}

variable "lifecycle_policy" {
  description = "The lifecycle policy of cached repositories, as ECR's JSON; where null, none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the secret and of the IAM policy. Cached repositories get none: ECR tags them only through a role, which this module does not make."
  type        = map(string)
  default     = {}
  nullable    = false
}
