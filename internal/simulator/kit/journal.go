package kit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Journal appends events, as JSON lines, to a state file; nil appends to
// nothing. Its owner's lock guards it.
type Journal struct {
	file *os.File
	err  error // the first failure
}

// maxLine bounds one line of a state file: the largest request and its
// wrapping come nowhere near it.
const maxLine = 32 << 20

// OpenJournal hands every event of a state file to redo, and goes on appending
// to the file. A last line without its end was cut by a crash and is dropped.
// The file is private: it may hold simulated keys.
func OpenJournal[E any](name string, redo func(E) error) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	end, err := replay(file, redo)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Journal{file: file}, nil
}

// replay returns the offset after the last whole line.
func replay[E any](file io.Reader, redo func(E) error) (end int64, err error) {
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	lines.Split(wholeLines)
	for number := 1; lines.Scan(); number++ {
		var e E
		err := json.Unmarshal(lines.Bytes(), &e)
		if err == nil {
			err = redo(e)
		}
		if err != nil {
			return end, fmt.Errorf("line %d: %w", number, err)
		}
		end += int64(len(lines.Bytes())) + 1
	}
	return end, lines.Err()
}

// wholeLines splits like bufio.ScanLines, but leaves out a last line without
// its end.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	advance, token, err = bufio.ScanLines(data, false)
	if advance == 0 && atEOF {
		return len(data), nil, err
	}
	return advance, token, err
}

// Append writes an event; after the first failure it writes no more.
func (j *Journal) Append(e any) {
	if j == nil || j.err != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	j.err = err
}

// Failure tells why the file is no longer written; empty while it is.
func (j *Journal) Failure() string {
	if j == nil || j.err == nil {
		return ""
	}
	return j.err.Error()
}

// Close closes the file and reports the first failure.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.err, j.file.Close())
}
