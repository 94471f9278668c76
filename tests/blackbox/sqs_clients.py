"""Clients of the queue port that behave alike: boto3 speaks Query/XML, the small one here AWS JSON 1.0."""
import json

import boto3
import botocore.config
import requests

REGION, ACCOUNT = "us-east-1", "123456789012"


def boto(url, key="test", secret="test", **more):
    config = botocore.config.Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=60, **more)
    return boto3.client("sqs", endpoint_url=url, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret, config=config)


class Refused(Exception):
    def __init__(self, status, code, shape, message):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.shape, self.message = status, code, shape, message


class Json:
    """`client.send_message(QueueUrl=…)` as boto3 has it, over JSON 1.0."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def post(self, action, body, **headers):
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}", **headers}
        return self.session.post(self.url, data=body, headers=headers, timeout=60)

    def __getattr__(self, name):
        action = "".join(word.capitalize() for word in name.split("_"))

        def call(**members):
            answer = self.post(action, json.dumps(members))
            assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
            assert len(answer.headers["x-amzn-RequestId"]) == 36
            body = answer.json()
            if answer.status_code != 200:
                code = answer.headers["x-amzn-query-error"].split(";")[0]
                raise Refused(answer.status_code, code, body["__type"].split("#")[1], body["message"])
            return body

        return call


def refused(call, **members):
    """(HTTP status, Query code, sentence) of a call that must be refused."""
    try:
        answer = call(**members)
    except Refused as e:
        return e.status, e.code, e.message
    except botocore.exceptions.ClientError as e:
        error = e.response["Error"]
        return e.response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]
    raise AssertionError(f"was not refused: {answer}")
