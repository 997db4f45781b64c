package chargewire

import "sync"

// sends has who waits for the end of a message, by its tag.
type sends struct {
	mu      sync.Mutex
	last    uint64
	over    bool
	waiting map[uint64]chan<- Status
}

func (s *sends) add() (tag uint64, sent <-chan Status) {
	told := make(chan Status, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	tag = ownTags | s.last
	if s.over {
		told <- ErrClosed
		return tag, told
	}
	if s.waiting == nil {
		s.waiting = make(map[uint64]chan<- Status)
	}
	s.waiting[tag] = told
	return tag, told
}

func (s *sends) forget(tag uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, tag)
}

func (s *sends) tell(tag uint64, status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if told, waits := s.waiting[tag]; waits {
		told <- status
		delete(s.waiting, tag)
	}
}

// end is for when no more can be heard of any.
func (s *sends) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for tag, told := range s.waiting {
		told <- ErrClosed
		delete(s.waiting, tag)
	}
}
