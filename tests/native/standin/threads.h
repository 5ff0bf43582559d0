/* One lock for the tables, one for callbacks, and a thread: of each system its own. */
#ifndef THREADS_H
#define THREADS_H

#ifdef _WIN32
#include <windows.h>
typedef SRWLOCK lock_t;
typedef CONDITION_VARIABLE signal_t;
#define LOCK_INIT SRWLOCK_INIT
#define SIGNAL_INIT CONDITION_VARIABLE_INIT
#define lock(l) AcquireSRWLockExclusive(l)
#define unlock(l) ReleaseSRWLockExclusive(l)
#define wait_for(s, l) SleepConditionVariableSRW(s, l, INFINITE, 0)
#define raise_signal(s) WakeAllConditionVariable(s)
#define THREAD DWORD WINAPI
#define start_thread(run) CloseHandle(CreateThread(0, 0, run, 0, 0, 0))
#else
#include <pthread.h>
typedef pthread_mutex_t lock_t;
typedef pthread_cond_t signal_t;
#define LOCK_INIT PTHREAD_MUTEX_INITIALIZER
#define SIGNAL_INIT PTHREAD_COND_INITIALIZER
#define lock(l) pthread_mutex_lock(l)
#define unlock(l) pthread_mutex_unlock(l)
#define wait_for(s, l) pthread_cond_wait(s, l)
#define raise_signal(s) pthread_cond_broadcast(s)
#define THREAD void *
#define start_thread(run) do { pthread_t t; pthread_create(&t, 0, (void *(*)(void *))run, 0); pthread_detach(t); } while (0)
#endif

#endif
