// nodes.go: nodes that only pretend: pods scheduled to them become ready, complete, fail and go away
// as a kubelet would report it, and nothing runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/component-base/version"
	"k8s.io/utils/ptr"
)

const (
	// A pod says by this annotation how it shall end; see outcomeOf.
	outcomeAnnotation = "controlplane.test/outcome"
	// ... and by this one how long after its scheduling, as a Go duration; the default is at once.
	delayAnnotation = "controlplane.test/delay"

	podWorkers     = 4
	leaseRenewal   = 10 * time.Second
	leaseSeconds   = 40
	podsPerNodeMax = "5000"
)

type fakeNodes struct {
	client kubernetes.Interface
	pods   corelisters.PodLister
	claims corelisters.PersistentVolumeClaimLister
	queue  workqueue.TypedRateLimitingInterface[item]
	names  []string
}

func runNodes(args []string) int {
	flags := flag.NewFlagSet("nodes", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "of an administrator")
	count := flags.Int("count", 1, "how many nodes to register")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := nodes(ctx, *kubeconfig, *count); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "controlplane nodes:", err)
		return 1
	}
	return 0
}

func nodes(ctx context.Context, kubeconfig string, count int) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	config.UserAgent = "controlplane-nodes"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	n := &fakeNodes{client: client, queue: workqueue.NewTypedRateLimitingQueue(
		workqueue.DefaultTypedControllerRateLimiter[item]())}
	for i := range count {
		n.names = append(n.names, fmt.Sprintf("node-%d", i+1))
	}
	for _, name := range n.names {
		if err := n.register(ctx, name); err != nil {
			return err
		}
	}
	if err := n.watch(ctx); err != nil {
		return err
	}
	for range podWorkers {
		go n.work(ctx)
	}
	n.renewLeases(ctx)
	n.queue.ShutDown()
	return nil
}

// register creates the node, or reports it ready again, and takes off the taint every new node gets.
func (n *fakeNodes) register(ctx context.Context, name string) error {
	node, err := n.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		node, err = n.client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname: name, corev1.LabelArchStable: "amd64", corev1.LabelOSStable: "linux",
			},
		}}, metav1.CreateOptions{})
	}
	if err != nil {
		return err
	}
	node.Status = nodeStatus(name)
	node, err = n.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	if err := n.renewLease(ctx, name); err != nil {
		return err
	}
	if len(node.Spec.Taints) == 0 {
		return nil
	}
	// The controller manager would do it as well, but may be absent.
	node.Spec.Taints = nil
	_, err = n.client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func nodeStatus(name string) corev1.NodeStatus {
	now := metav1.Now()
	resources := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("1000"),
		corev1.ResourceMemory:           resource.MustParse("4Ti"),
		corev1.ResourceEphemeralStorage: resource.MustParse("4Ti"),
		corev1.ResourcePods:             resource.MustParse(podsPerNodeMax),
	}
	status := corev1.NodeStatus{
		Capacity:    resources,
		Allocatable: resources,
		Addresses:   []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: name}},
		NodeInfo: corev1.NodeSystemInfo{
			KubeletVersion: version.Get().GitVersion, OperatingSystem: "linux", Architecture: "amd64",
		},
		Phase: corev1.NodeRunning,
	}
	for _, kind := range []corev1.NodeConditionType{corev1.NodeReady, corev1.NodeMemoryPressure,
		corev1.NodeDiskPressure, corev1.NodePIDPressure} {
		condition := corev1.NodeCondition{Type: kind, Status: corev1.ConditionFalse, Reason: "Pretended",
			LastHeartbeatTime: now, LastTransitionTime: now}
		if kind == corev1.NodeReady {
			condition.Status = corev1.ConditionTrue
		}
		status.Conditions = append(status.Conditions, condition)
	}
	return status
}

func (n *fakeNodes) renewLeases(ctx context.Context) {
	ticker := time.NewTicker(leaseRenewal)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, name := range n.names {
			if err := n.renewLease(ctx, name); err != nil {
				fmt.Fprintln(os.Stderr, "lease of", name+":", err)
			}
		}
	}
}

func (n *fakeNodes) renewLease(ctx context.Context, name string) error {
	leases := n.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now := metav1.NowMicro()
	lease, err := leases.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = leases.Create(ctx, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: coordinationv1.LeaseSpec{HolderIdentity: &name, RenewTime: &now,
				LeaseDurationSeconds: ptr.To[int32](leaseSeconds)},
		}, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	lease.Spec.RenewTime = &now
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	return err
}

type item struct {
	claim bool
	name  cache.ObjectName
}

func (n *fakeNodes) watch(ctx context.Context) error {
	scheduled := informers.NewSharedInformerFactoryWithOptions(n.client, 0,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermNotEqualSelector("spec.nodeName", "").String()
		}))
	all := informers.NewSharedInformerFactory(n.client, 0)
	pods, claims := scheduled.Core().V1().Pods(), all.Core().V1().PersistentVolumeClaims()
	n.pods, n.claims = pods.Lister(), claims.Lister()
	enqueue := func(object any) {
		switch o := object.(type) {
		case *corev1.Pod:
			n.queue.Add(item{name: cache.MetaObjectToName(o)})
		case *corev1.PersistentVolumeClaim:
			n.queue.Add(item{name: cache.MetaObjectToName(o), claim: true})
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, changed any) { enqueue(changed) },
	}
	for _, informer := range []cache.SharedInformer{pods.Informer(), claims.Informer()} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	scheduled.Start(ctx.Done())
	all.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), pods.Informer().HasSynced, claims.Informer().HasSynced) {
		return ctx.Err()
	}
	return nil
}

func (n *fakeNodes) work(ctx context.Context) {
	for {
		next, shutdown := n.queue.Get()
		if shutdown {
			return
		}
		reconcile := n.reconcilePod
		if next.claim {
			reconcile = n.reconcileClaim
		}
		err := reconcile(ctx, next.name)
		if err == nil || apierrors.IsNotFound(err) {
			n.queue.Forget(next)
		} else {
			if !apierrors.IsConflict(err) {
				fmt.Fprintln(os.Stderr, next.name.String()+":", err)
			}
			n.queue.AddRateLimited(next)
		}
		n.queue.Done(next)
	}
}

func (n *fakeNodes) reconcilePod(ctx context.Context, name cache.ObjectName) error {
	pod, err := n.pods.Pods(name.Namespace).Get(name.Name)
	if err != nil {
		return err
	}
	pods := n.client.CoreV1().Pods(name.Namespace)
	if pod.DeletionTimestamp != nil {
		return pods.Delete(ctx, name.Name, metav1.DeleteOptions{
			GracePeriodSeconds: ptr.To[int64](0),
			Preconditions:      metav1.NewUIDPreconditions(string(pod.UID)),
		})
	}
	next, wait := podStatusAfter(pod, time.Now())
	if wait > 0 {
		n.queue.AddAfter(item{name: name}, wait)
	}
	if next == nil {
		return nil
	}
	changed := pod.DeepCopy()
	changed.Status = *next
	_, err = pods.UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	return err
}

// reconcileClaim makes a volume for every claim that waits for one; the controller manager binds them.
func (n *fakeNodes) reconcileClaim(ctx context.Context, name cache.ObjectName) error {
	claim, err := n.claims.PersistentVolumeClaims(name.Namespace).Get(name.Name)
	if err != nil {
		return err
	}
	if claim.Status.Phase != corev1.ClaimPending || claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return nil
	}
	_, err = n.client.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-" + string(claim.UID)},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:         corev1.ResourceList{corev1.ResourceStorage: *claim.Spec.Resources.Requests.Storage()},
			AccessModes:      claim.Spec.AccessModes,
			VolumeMode:       claim.Spec.VolumeMode,
			StorageClassName: ptr.Deref(claim.Spec.StorageClassName, ""),
			ClaimRef: &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: "/nonexistent"}},
		},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
