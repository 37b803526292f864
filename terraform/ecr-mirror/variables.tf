variable "docker_source" {
  description = "The image to mirror, as `docker pull` takes it."
  type        = string
}

variable "aws_region" {
  description = "The region of the ECR repository."
  type        = string
}

variable "aws_account_id" {
  description = "The account of the ECR repository."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.aws_account_id))
    error_message = "aws_account_id has twelve digits, in quotes where the first is 0."
  }
}

variable "aws_profile" {
  description = "The AWS profile that longshore uses; where empty, the credentials that Terraform's environment has."
  type        = string
  default     = ""
  nullable    = false
}

variable "ecr_repo_name" {
  description = "The name of the ECR repository; longshore creates it where it is missing."
  type        = string
}

variable "ecr_repo_tag" {
  description = "The tag that the image gets."
  type        = string
}

variable "architecture" {
  description = "The platform to mirror, such as `linux/arm64/v8`; several are separated by commas. Where empty, all platforms; with `RUN` lines the Docker daemon's own."
  type        = string
  default     = ""
  nullable    = false
}

variable "lines" {
  description = "Dockerfile lines that follow `FROM`. Without lines the image is copied as it is, which needs no Docker."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for line in var.lines : !strcontains(line, "\n")])
    error_message = "Each of the lines is one line: write a continued instruction without its line breaks."
  }
}

variable "refresh" {
  description = "Whether longshore runs at every apply, so that a moved upstream tag is noticed. A run without a change costs a few small requests."
  type        = bool
  default     = false
  nullable    = false
}

variable "read_digest" {
  description = "Whether the digest is read back from ECR for the output `image_digest`. Needs `ecr:DescribeImages`, and a provider for `aws_region`."
  type        = bool
  default     = true
  nullable    = false
}

variable "longshore" {
  description = "The longshore program: a name on the PATH, or a path."
  type        = string
  default     = "longshore"
  nullable    = false
}
