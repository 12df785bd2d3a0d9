package mailboxsim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// event is one line of the state file.
type event struct {
	Mail *Mail `json:"mail,omitempty"`
}

// journal appends events to the state file; nil appends to nothing.
type journal struct {
	file *os.File
	err  error // the first failure
}

func (j *journal) append(e event) {
	if j == nil || j.err != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	j.err = err
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.err, j.file.Close())
}

// load replays a state file and goes on appending to it. A last line without
// its end was cut by a crash and is dropped.
func (s *Sim) load(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	end, err := s.replay(file)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	s.journal = &journal{file: file}
	return nil
}

// replay returns the offset after the last whole line.
func (s *Sim) replay(file io.Reader) (end int64, err error) {
	reader := bufio.NewReader(file)
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, fmt.Errorf("line %d: %w", number, err)
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return end, fmt.Errorf("line %d: %w", number, err)
		}
		if e.Mail != nil {
			s.enter(*e.Mail)
		}
		end += int64(len(line))
	}
}
