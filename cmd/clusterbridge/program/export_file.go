package program

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// outFile is where a table goes: a file, which appears whole or not at all, or
// standard output, to which all is written at once.
type outFile struct {
	path string
	temp *os.File // beside the file until all is written; nil for standard output
	done bool
}

// stdoutName is how standard output may be written as a file.
const stdoutName = "-"

// openOut prepares the file before anything is read, so that one that cannot be
// written fails early. It is readable for its owner only: it holds amounts.
func openOut(path string) (*outFile, error) {
	if path == "" || path == stdoutName {
		return &outFile{}, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, cannotWrite(err, path)
	case !info.Mode().IsRegular():
		return nil, usage("--out "+path+" is no file.", "give a file, or leave --out away for standard output")
	default:
		if path, err = filepath.EvalSymlinks(path); err != nil { // a link stays one
			return nil, cannotWrite(err, path)
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, cannotWrite(err, path)
	}
	return &outFile{path: path, temp: temp}, nil
}

func cannotWrite(err error, path string) error {
	return failed(err, "give --out a file in a folder that you may write to", "%s cannot be written.", path)
}

// handOver writes the table and gives it its name.
func (o *outFile) handOver(stdout io.Writer, table []byte) error {
	if o.temp == nil {
		if _, err := stdout.Write(table); err != nil {
			return failed(err, "the same command again", "Standard output took only a part of the table, or nothing.")
		}
		return nil
	}
	_, err := o.temp.Write(table)
	if err = errors.Join(err, o.temp.Sync(), o.temp.Close()); err != nil {
		return cannotWrite(err, o.path)
	}
	if err := os.Rename(o.temp.Name(), o.path); err != nil {
		return cannotWrite(err, o.path)
	}
	o.done = true
	return nil
}

// drop removes what was not handed over.
func (o *outFile) drop() {
	if o.temp != nil && !o.done {
		_ = o.temp.Close() // closed already where it failed later
		_ = os.Remove(o.temp.Name())
	}
}

// where says where the table is.
func (o *outFile) where() string {
	if o.temp == nil {
		return ""
	}
	return " Written to " + o.path + "."
}
