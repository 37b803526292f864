"""moto's server, with the rules and templates of ECR's pull-through cache, which moto does not know."""

import json

from moto.core.responses import ActionResult
from moto.ecr.responses import ECRResponse
from moto.secretsmanager import secretsmanager_backends
from moto.server import main

rules = {}
templates = {}


def create_rule(self):
    rule = json.loads(self.body)
    rules[rule["ecrRepositoryPrefix"]] = rule
    return ActionResult(rule)


def describe_rules(self):
    return ActionResult({"pullThroughCacheRules": list(rules.values())})


def validate_rule(self):
    rule = rules[self._get_param("ecrRepositoryPrefix")]
    backend = secretsmanager_backends[self.current_account][self.region]
    secret = backend.get_secret_value(rule["credentialArn"], "", "")
    login = json.loads(secret["SecretString"])
    return ActionResult({"isValid": set(login) == {"username", "accessToken"}})


def create_template(self):
    template = json.loads(self.body)
    templates[template["prefix"]] = template
    return ActionResult({"repositoryCreationTemplate": template})


def describe_templates(self):
    return ActionResult({"repositoryCreationTemplates": list(templates.values())})


ECRResponse.create_pull_through_cache_rule = create_rule
ECRResponse.describe_pull_through_cache_rules = describe_rules
ECRResponse.validate_pull_through_cache_rule = validate_rule
ECRResponse.create_repository_creation_template = create_template
ECRResponse.describe_repository_creation_templates = describe_templates
main()
