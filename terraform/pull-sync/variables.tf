variable "namespace" {
  description = "The name of the task and of all that belongs to it."
  type        = string
}

variable "task_image_uri" {
  description = "The repository of longshore's container image, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com/longshore`."
  type        = string
}

variable "task_image_tag" {
  description = "The tag of longshore's container image."
  type        = string
  default     = "latest"
  nullable    = false
}

variable "config" {
  description = "What is copied. `mode`: `create` makes missing repositories, `refresh` copies only into those that exist. `repos`: each `source` is a repository with its host, `destination` its name here (by default its name there), `tags` a list of patterns (by default all). `repo_defaults`: how repositories are made, and whether a tag that cannot move fails the run or keeps what it holds (`on_conflict`: `fail` or `keep`)."
  type = object({
    mode = optional(string, "create")
    repos = optional(list(object({
      source      = string
      destination = optional(string)
      tags        = optional(list(string), ["**"])
    })), [])
    repo_defaults = optional(object({
      scan_on_push     = optional(bool, true)
      tag_immutability = optional(bool, true)
      encryption_type  = optional(string, "AES256")
      kms_key_arn      = optional(string)
      on_conflict      = optional(string, "fail")
    }), {})
  })

  validation {
    condition     = contains(["create", "refresh"], var.config.mode)
    error_message = "config.mode is create or refresh."
  }

  validation {
    condition     = alltrue([for repo in var.config.repos : can(regex("^[^/]+/.", repo.source))])
    error_message = "Each source of config.repos begins with its registry's host, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app."
  }

  validation {
    condition     = alltrue([for repo in var.config.repos : length(repo.tags) > 0])
    error_message = "Each tags of config.repos has at least one pattern: leave it out for all tags."
  }

  validation {
    condition     = contains(["AES256", "KMS"], var.config.repo_defaults.encryption_type)
    error_message = "config.repo_defaults.encryption_type is AES256 or KMS."
  }
}

variable "schedule" {
  description = "When the task runs, as EventBridge writes it."
  type        = string
  default     = "cron(0 * * * ? *)"
  nullable    = false
}

variable "region" {
  description = "The region of all resources, which must be the provider's; where null, the provider's."
  type        = string
  default     = null
}

variable "task_vpc_id" {
  description = "The VPC in which the task runs; where null, the default VPC."
  type        = string
  default     = null
}

variable "task_subnet_ids" {
  description = "The subnets of `task_vpc_id` in which the task runs; where empty, those of the default VPC."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "task_assign_public_ip" {
  description = "Whether the task gets a public address, which it needs in a subnet without NAT or VPC endpoints."
  type        = bool
  default     = true
  nullable    = false
}

variable "task_cpu" {
  description = "The task's CPU units; 1024 are one CPU."
  type        = number
  default     = 512
  nullable    = false
}

variable "task_memory" {
  description = "The task's memory in MiB."
  type        = number
  default     = 1024
  nullable    = false
}

variable "task_cpu_architecture" {
  description = "The architecture of longshore's container image: `X86_64` or `ARM64`. It has nothing to do with the images that are copied."
  type        = string
  default     = "X86_64"
  nullable    = false
}

variable "log_retention_in_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "alarm_actions" {
  description = "What the alarm does when a run failed or could not start: ARNs, such as those of SNS topics."
  type        = list(string)
  default     = []
  nullable    = false
}
