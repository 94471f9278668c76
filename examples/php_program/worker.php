<?php
/**
 * A program with a loop of its own: it asks the queue for messages over the SQS API, works on each, and
 * deletes what is done. Forebay starts it, watches it, and tells it in the environment where the queue is.
 *
 * The protocol is AWS JSON 1.0 by hand, to show how little it is; with the AWS SDK for PHP it would be
 * receiveMessage and deleteMessage with the same names, against Forebay or against Amazon.
 */

declare(strict_types=1);

ini_set('display_errors', 'stderr');

const VISIBILITY_SECONDS = 30;  // a message whose program dies comes again after this
const RETRY_SECONDS = 10;
const LONG_POLL_SECONDS = 2;    // also how late a stop is noticed; less than stopwaitsecs

final class Queue
{
    private CurlHandle $curl;

    public function __construct(private readonly string $url)
    {
        $this->curl = curl_init();  // one handle, so that the connection is kept
    }

    public function receive(): array
    {
        $answer = $this->call('ReceiveMessage', [
            'MaxNumberOfMessages' => 10,
            'WaitTimeSeconds' => LONG_POLL_SECONDS,
            'VisibilityTimeout' => VISIBILITY_SECONDS,
        ]);
        return $answer['Messages'] ?? [];
    }

    public function delete(array $message): void
    {
        $this->call('DeleteMessage', ['ReceiptHandle' => $message['ReceiptHandle']]);
    }

    /** Hides it for a while and hands it out again. */
    public function try_again(array $message): void
    {
        $this->call('ChangeMessageVisibility', ['ReceiptHandle' => $message['ReceiptHandle'], 'VisibilityTimeout' => RETRY_SECONDS]);
    }

    private function call(string $action, array $members): array
    {
        curl_setopt_array($this->curl, [
            CURLOPT_URL => $this->url,
            CURLOPT_POSTFIELDS => json_encode(['QueueUrl' => $this->url] + $members, JSON_THROW_ON_ERROR),
            CURLOPT_HTTPHEADER => ['Content-Type: application/x-amz-json-1.0', "X-Amz-Target: AmazonSQS.$action"],
            CURLOPT_AWS_SIGV4 => 'aws:amz:' . getenv('AWS_REGION') . ':sqs',
            CURLOPT_USERPWD => getenv('AWS_ACCESS_KEY_ID') . ':' . getenv('AWS_SECRET_ACCESS_KEY'),
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => 3,
            CURLOPT_TIMEOUT => LONG_POLL_SECONDS + 10,
        ]);
        $body = curl_exec($this->curl);
        $status = curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE);
        if ($body === false || $status !== 200) {
            throw new RuntimeException("$action: " . ($body === false ? curl_error($this->curl) : "status $status $body"));
        }
        return $body === '' ? [] : json_decode($body, true, 64, JSON_THROW_ON_ERROR);
    }
}

/** Where the work goes: one row a record, whoever works on it and however often it comes. */
final class CallList
{
    private PDO $db;

    public function __construct(string $path)
    {
        $this->db = new PDO("sqlite:$path", options: [PDO::ATTR_TIMEOUT => 5]);
        $this->db->exec('PRAGMA synchronous=EXTRA');
        $this->db->exec('CREATE TABLE IF NOT EXISTS calls (record TEXT PRIMARY KEY, name TEXT, phone TEXT, taken_by TEXT)');
    }

    public function add(array $record, string $by): void
    {
        $insert = $this->db->prepare('INSERT INTO calls VALUES (?, ?, ?, ?) ON CONFLICT (record) DO NOTHING');
        $insert->execute([$record['id'], $record['fields']['first_name'] ?? null, $record['fields']['phone'] ?? null, $by]);
    }
}

$me = getenv('FOREBAY_WORKER') . ':' . ($argv[1] ?? '1');
$queue = new Queue(getenv('FOREBAY_QUEUE_URL') ?: throw new RuntimeException('FOREBAY_QUEUE_URL is not set: start me with forebay'));
$calls = new CallList('calls.db');

$running = true;
pcntl_async_signals(true);
foreach ([SIGTERM, SIGINT] as $signal) {
    pcntl_signal($signal, function () use (&$running): void { $running = false; });
}

echo "$me is ready\n";
while ($running) {
    try {
        $messages = $queue->receive();
    } catch (RuntimeException $e) {
        fwrite(STDERR, "$me cannot reach its queue, trying again: {$e->getMessage()}\n");
        sleep(1);
        continue;
    }
    foreach ($messages as $message) {
        try {
            $record = json_decode($message['Body'], true, 64, JSON_THROW_ON_ERROR);
            $calls->add($record, $me);
            $queue->delete($message);  // only now: what is not deleted comes again
            echo "$me took {$record['id']}\n";
        } catch (Throwable $e) {
            fwrite(STDERR, "$me will try {$message['MessageId']} again: {$e->getMessage()}\n");
            try {
                $queue->try_again($message);
            } catch (RuntimeException) {
                // The queue is away as well: the message comes again by itself after VISIBILITY_SECONDS.
            }
        }
    }
}
echo "$me has finished\n";
