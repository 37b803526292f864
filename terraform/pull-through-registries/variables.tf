variable "registries" {
  description = "The registries to cache, by the prefix of their repositories here. `registry` is the host. With `username` and `accessToken` a secret is made; a new token is noticed by 28 bits of its SHA-256 hash, which the state holds, or by a raised `accessTokenVersion`. `repository_read_access_arns` may read the cached repositories besides this account. `lifecycle_policy` keeps the last three images where it is null."
  type = map(object({
    registry                    = string
    username                    = optional(string)
    accessToken                 = optional(string)
    accessTokenVersion          = optional(number)
    repository_read_access_arns = optional(list(string))
    image_tag_mutability        = optional(string)
    lifecycle_policy = optional(object({
      rules = list(object({
        rulePriority = number
        description  = string
        selection = object({
          tagStatus      = string
          tagPatternList = optional(list(string))
          tagPrefixList  = optional(list(string))
          countType      = string
          countUnit      = optional(string)
          countNumber    = number
        })
        action = object({
          type = string
        })
      }))
    }))
  }))
}

variable "region" {
  description = "The region of the rules, which must be the provider's; where empty, the provider's."
  type        = string
  default     = ""
  nullable    = false
}

variable "tags" {
  description = "Tags of all resources and of the cached repositories. ECR tags these through a role, which is made where there are tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
