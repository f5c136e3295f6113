// podstatus.go: what a kubelet would report of a pod next. Pure.
package main

import (
	"fmt"
	"hash/fnv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// The ways a pod can be told to go, by the annotation on it or on its template.
const (
	outcomeReady     = "ready"      // running and ready; a pod that does not restart then succeeds
	outcomePending   = "pending"    // scheduled, containers never created
	outcomeNotReady  = "not-ready"  // running, readiness never true
	outcomePullError = "pull-error" // ImagePullBackOff
	outcomeCrash     = "crash"      // CrashLoopBackOff, or Failed when it does not restart
	outcomeFail      = "fail"       // phase Failed
)

// podStatusAfter is the next status, nil when there is nothing to report, and how long to wait to ask again.
func podStatusAfter(pod *corev1.Pod, now time.Time) (*corev1.PodStatus, time.Duration) {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return nil, 0
	}
	outcome := outcomeOf(pod)
	if delay, err := time.ParseDuration(pod.Annotations[delayAnnotation]); err == nil {
		if wait := scheduledAt(pod).Add(delay).Sub(now); wait > 0 && pod.Status.Phase == corev1.PodPending {
			return nil, wait
		}
	}
	restarts := pod.Spec.RestartPolicy == corev1.RestartPolicyAlways
	if outcome == outcomeCrash && !restarts {
		outcome = outcomeFail
	}
	switch {
	case outcome == outcomePending:
		return nil, 0
	case outcome == outcomePullError, outcome == outcomeCrash:
		if len(pod.Status.ContainerStatuses) > 0 {
			return nil, 0
		}
		return waitingStatus(pod, outcome, now), 0
	case outcome == outcomeFail:
		return endedStatus(pod, corev1.PodFailed, 1, now), 0
	case pod.Status.Phase == corev1.PodRunning && !restarts && outcome == outcomeReady:
		return endedStatus(pod, corev1.PodSucceeded, 0, now), 0
	case pod.Status.Phase == corev1.PodRunning:
		return nil, 0
	}
	return runningStatus(pod, outcome == outcomeReady, now), 0
}

func outcomeOf(pod *corev1.Pod) string {
	if outcome := pod.Annotations[outcomeAnnotation]; outcome != "" {
		return outcome
	}
	return outcomeReady
}

func scheduledAt(pod *corev1.Pod) time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled {
			return condition.LastTransitionTime.Time
		}
	}
	return pod.CreationTimestamp.Time
}

func startedStatus(pod *corev1.Pod, phase corev1.PodPhase, initialized, ready bool, reason string, now time.Time) *corev1.PodStatus {
	status := pod.Status.DeepCopy()
	status.Phase = phase
	status.ObservedGeneration = pod.Generation
	if status.StartTime == nil {
		status.StartTime = ptr.To(metav1.NewTime(now))
	}
	status.HostIP = "192.0.2.1"
	status.HostIPs = []corev1.HostIP{{IP: status.HostIP}}
	if phase == corev1.PodRunning {
		status.PodIP = podIP(pod)
		status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
	}
	setCondition(status, corev1.PodReadyToStartContainers, phase == corev1.PodRunning, "", now)
	setCondition(status, corev1.PodInitialized, initialized, "", now)
	setCondition(status, corev1.ContainersReady, ready, reason, now)
	setCondition(status, corev1.PodReady, ready, reason, now)
	return status
}

func runningStatus(pod *corev1.Pod, ready bool, now time.Time) *corev1.PodStatus {
	reason := ""
	if !ready {
		reason = "ContainersNotReady"
	}
	status := startedStatus(pod, corev1.PodRunning, true, ready, reason, now)
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now)}}
	status.InitContainerStatuses = nil
	for _, container := range pod.Spec.InitContainers {
		state := completed("Completed", 0, now)
		if container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			state = running
		}
		status.InitContainerStatuses = append(status.InitContainerStatuses, containerStatus(container, state, true))
	}
	status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, containerStatus(container, running, ready))
	}
	return status
}

func waitingStatus(pod *corev1.Pod, outcome string, now time.Time) *corev1.PodStatus {
	phase, waiting := corev1.PodPending, &corev1.ContainerStateWaiting{
		Reason: "ImagePullBackOff", Message: "Back-off pulling image"}
	if outcome == outcomeCrash {
		phase, waiting = corev1.PodRunning, &corev1.ContainerStateWaiting{
			Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container"}
	}
	status := startedStatus(pod, phase, true, false, "ContainersNotReady", now)
	status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		s := containerStatus(container, corev1.ContainerState{Waiting: waiting}, false)
		if outcome == outcomeCrash {
			s.RestartCount = 5
			s.LastTerminationState = completed("Error", 1, now)
		}
		status.ContainerStatuses = append(status.ContainerStatuses, s)
	}
	return status
}

func endedStatus(pod *corev1.Pod, phase corev1.PodPhase, exitCode int32, now time.Time) *corev1.PodStatus {
	podReason, containerReason := "PodCompleted", "Completed"
	if phase == corev1.PodFailed {
		podReason, containerReason = "PodFailed", "Error"
	}
	status := startedStatus(pod, phase, true, false, podReason, now)
	status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses,
			containerStatus(container, completed(containerReason, exitCode, now), false))
	}
	return status
}

func completed(reason string, exitCode int32, now time.Time) corev1.ContainerState {
	at := metav1.NewTime(now)
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: exitCode, StartedAt: at, FinishedAt: at}}
}

func containerStatus(container corev1.Container, state corev1.ContainerState, ready bool) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: container.Name, Image: container.Image, ImageID: container.Image,
		State: state, Ready: ready, Started: ptr.To(state.Running != nil),
	}
}

func setCondition(status *corev1.PodStatus, kind corev1.PodConditionType, value bool, reason string, now time.Time) {
	wanted := corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse, Reason: reason,
		LastTransitionTime: metav1.NewTime(now), ObservedGeneration: status.ObservedGeneration}
	if value {
		wanted.Status, wanted.Reason = corev1.ConditionTrue, ""
	}
	for i, condition := range status.Conditions {
		if condition.Type == kind {
			if condition.Status == wanted.Status {
				wanted.LastTransitionTime = condition.LastTransitionTime
			}
			status.Conditions[i] = wanted
			return
		}
	}
	status.Conditions = append(status.Conditions, wanted)
}

// podIP only has to look like one and differ between most pods.
func podIP(pod *corev1.Pod) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(pod.UID))
	sum := hash.Sum32()
	return fmt.Sprintf("10.%d.%d.%d", 200+sum>>24%50, sum>>8&0xff, 1+sum&0x7f)
}
