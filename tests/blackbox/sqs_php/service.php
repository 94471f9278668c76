<?php
/**
 * A service as it stands beside Amazon SQS in many a PHP shop: it sends base64 of serialize() of an array, and works on what it gets
 * from long polls of ten seconds. It signs its requests by itself (Signature Version 4) and needs php-curl only.
 *
 *     php service.php send COUNT    writes the number of each message that the queue has taken
 *     php service.php work FILE     appends the number of each message to FILE, then deletes the message
 *
 * SQS_ENDPOINT, SQS_QUEUE, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say where and who.
 */

declare(strict_types=1);

ini_set('display_errors', 'stderr');

const LONG_POLL_SECONDS = 10;
const TRY_FOR_SECONDS = 60;

final class Refused extends RuntimeException
{
}

final class Sqs
{
    private CurlHandle $curl;
    private string $url = '';

    public function __construct(private readonly string $endpoint, private readonly string $region, private readonly string $key, private readonly string $secret)
    {
        $this->curl = curl_init();  // one handle, so that the connection is kept
    }

    public function open(string $queue): void
    {
        $this->url = $this->call('CreateQueue', ['QueueName' => $queue, 'Attributes' => ['VisibilityTimeout' => '10']])['QueueUrl'];
    }

    public function send(array $message): void
    {
        $body = base64_encode(serialize($message));
        $answer = $this->call('SendMessage', ['QueueUrl' => $this->url, 'MessageBody' => $body]);
        if ($answer['MD5OfMessageBody'] !== md5($body)) {
            throw new RuntimeException('the queue has taken something else');
        }
    }

    /** @return array<string, array> by the handle that deletes it */
    public function receive(): array
    {
        $answer = $this->call('ReceiveMessage', ['QueueUrl' => $this->url, 'MaxNumberOfMessages' => 10, 'WaitTimeSeconds' => LONG_POLL_SECONDS]);
        $messages = [];
        foreach ($answer['Messages'] ?? [] as $message) {
            $messages[$message['ReceiptHandle']] = unserialize(base64_decode($message['Body'], true), ['allowed_classes' => false]);
        }
        return $messages;
    }

    public function delete(string $handle): void
    {
        $this->call('DeleteMessage', ['QueueUrl' => $this->url, 'ReceiptHandle' => $handle]);
    }

    /** Tries again while the queue is away; what it refuses is refused. */
    private function call(string $action, array $members): array
    {
        $until = time() + TRY_FOR_SECONDS;
        while (true) {
            try {
                return $this->ask($action, $members);
            } catch (Refused $e) {
                throw $e;
            } catch (RuntimeException $e) {
                if (time() >= $until) {
                    throw $e;
                }
                usleep(50_000);
            }
        }
    }

    private function ask(string $action, array $members): array
    {
        $body = json_encode($members, JSON_THROW_ON_ERROR);
        curl_setopt_array($this->curl, [
            CURLOPT_URL => $this->endpoint . '/',
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => $this->signed($action, $body),
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => 3,
            CURLOPT_TIMEOUT => LONG_POLL_SECONDS + 10,
        ]);
        $answer = curl_exec($this->curl);
        $status = curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE);
        if ($answer === false || $status >= 500) {
            throw new RuntimeException("$action: " . ($answer === false ? curl_error($this->curl) : "status $status"));
        }
        if ($status !== 200) {
            throw new Refused("$action: $answer");
        }
        return json_decode($answer, true, 64, JSON_THROW_ON_ERROR);
    }

    /** @return string[] the headers of a request, its signature among them */
    private function signed(string $action, string $body): array
    {
        $now = gmdate('Ymd\THis\Z');
        $headers = [
            'content-type' => 'application/x-amz-json-1.0',
            'host' => preg_replace('#^https?://#', '', $this->endpoint),
            'x-amz-date' => $now,
            'x-amz-target' => "AmazonSQS.$action",
        ];
        $names = implode(';', array_keys($headers));
        $lines = implode('', array_map(fn ($name, $value) => "$name:$value\n", array_keys($headers), $headers));
        $request = "POST\n/\n\n$lines\n$names\n" . hash('sha256', $body);
        $scope = [substr($now, 0, 8), $this->region, 'sqs', 'aws4_request'];
        $text = "AWS4-HMAC-SHA256\n$now\n" . implode('/', $scope) . "\n" . hash('sha256', $request);
        $key = 'AWS4' . $this->secret;
        foreach ($scope as $part) {
            $key = hash_hmac('sha256', $part, $key, true);
        }
        $headers['authorization'] = "AWS4-HMAC-SHA256 Credential={$this->key}/" . implode('/', $scope) . ", SignedHeaders=$names, Signature=" . hash_hmac('sha256', $text, $key);
        return array_map(fn ($name, $value) => "$name: $value", array_keys($headers), $headers);
    }
}

$sqs = new Sqs(getenv('SQS_ENDPOINT'), getenv('AWS_REGION'), getenv('AWS_ACCESS_KEY_ID'), getenv('AWS_SECRET_ACCESS_KEY'));
$sqs->open(getenv('SQS_QUEUE'));
if ($argv[1] === 'send') {
    for ($n = 0; $n < (int) $argv[2]; ++$n) {
        $sqs->send(['n' => $n, 'name' => "J\u{e4}ne $n", 'fields' => ['phone' => '212-555-0123', 'score' => 0.5, 'kept' => true, 'none' => null]]);
        echo "$n\n";
    }
    exit(0);
}
while (true) {
    foreach ($sqs->receive() as $handle => $message) {
        if ($message['name'] !== "J\u{e4}ne {$message['n']}" || $message['fields']['score'] !== 0.5) {
            throw new RuntimeException('a message is not what was sent: ' . json_encode($message));
        }
        file_put_contents($argv[2], "{$message['n']}\n", FILE_APPEND);
        $sqs->delete($handle);  // only now: what is not deleted comes again
    }
}
