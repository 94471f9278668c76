<?php
/**
 * A worker under `exec`: gives each lead a score.
 *
 *     php worker.php jsonl         long-lived: a record a line in, an answer a line out
 *     php worker.php per-record    one record on standard input, the exit code is the answer
 *
 * What it is told and may answer is in src/handlers/EXEC.md. A record that it has answered with `done` does
 * not come again; one that it was killed over does, with the same id.
 */

declare(strict_types=1);

// Anything that PHP itself has to say goes to the worker's log. On standard output it would be a garbled answer.
ini_set('display_errors', 'stderr');

const EXIT_DEAD = 65;   // EX_DATAERR
const EXIT_HOLD = 69;   // EX_UNAVAILABLE
const EXIT_RETRY = 75;  // EX_TEMPFAIL

/** @return array{result: string, why?: string, set?: array<string, mixed>} */
function work(array $record): array
{
    // Where a real worker would find that the system behind it does not answer: nothing is lost or spent meanwhile.
    if (file_exists('scoring-is-down')) {
        return ['result' => 'hold', 'why' => 'the file scoring-is-down exists'];
    }
    $fields = $record['fields'];
    if (!isset($fields['email'])) {
        return ['result' => 'dead', 'why' => 'a lead without an e-mail address cannot be scored'];
    }
    $score = score($fields);
    $line = json_encode([$record['id'], $fields['email'], $score], JSON_THROW_ON_ERROR);
    if (file_put_contents('scores.jsonl', $line . "\n", FILE_APPEND | LOCK_EX) === false) {
        return ['result' => 'retry', 'why' => 'scores.jsonl cannot be written'];
    }
    return ['result' => 'done', 'set' => ['score' => $score]];
}

function score(array $fields): int
{
    $score = 40;
    foreach (['phone' => 30, 'last_name' => 10, 'zip' => 10, 'campaign' => 10] as $field => $points) {
        $score += isset($fields[$field]) ? $points : 0;
    }
    return $score;
}

function answer_lines(): int
{
    while (($line = fgets(STDIN)) !== false) {
        $record = json_decode($line, true, 64, JSON_THROW_ON_ERROR);
        $answer = ['id' => $record['id']] + work($record) + ['count' => ['php.scored' => 1]];
        fwrite(STDOUT, json_encode($answer, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE) . "\n");
        fflush(STDOUT);
    }
    return 0;  // the worker has closed our input: it is ending
}

function answer_one(): int
{
    $record = json_decode(stream_get_contents(STDIN), true, 64, JSON_THROW_ON_ERROR);
    $answer = work($record);
    fwrite(isset($answer['why']) ? STDERR : STDOUT, json_encode($answer, JSON_THROW_ON_ERROR) . "\n");
    return match ($answer['result']) {
        'done' => 0,
        'dead' => EXIT_DEAD,
        'hold' => EXIT_HOLD,
        default => EXIT_RETRY,
    };
}

fprintf(STDERR, "score:%s is ready (%s)\n", getenv('FOREBAY_N') ?: '?', $argv[1] ?? 'jsonl');
exit(($argv[1] ?? 'jsonl') === 'per-record' ? answer_one() : answer_lines());
